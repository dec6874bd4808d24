import Foundation
import HTTPClient
import HTTPTypes
import PythonSupport

@testable import CDN

/// The vendors' APIs as `Tests/Integration/support/strict_cdn.py` plays them.
final class StrictCDN: Sendable {
  static let (accessKey, secretKey) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
  static let token = "s3cret"

  /// What it saw: one call.
  struct Call: Decodable, Sendable {
    var kind: String
    var status: Int
    var done: [String]
    var error: String?
    var fault: Bool?
  }

  /// How it fails: calls with `match` in their body or path, `count` of them.
  struct Fault: Encodable, Sendable {
    var match = ""
    var count: Int?
    var status: Int?
    var body: String?
    var headers: [String: String]?
    var hang: Double?
  }

  let client: HTTPClient
  let ports: [String: Int]
  private let server: PythonServer

  init() throws {
    server = try PythonServer(support: "strict_cdn.py")
    ports = try JSONDecoder().decode([String: Int].self, from: Data(server.line.utf8))
    client = try HTTPClient()
  }

  func endpoint(_ kind: String) -> String { "http://127.0.0.1:\(ports[kind] ?? 0)" }

  func fail(_ faults: Fault...) async throws {
    _ = try await control(.post, "/_/script", Array(JSONEncoder().encode(faults)))
  }

  func calls() async throws -> [Call] {
    try JSONDecoder().decode([Call].self, from: Data(await control(.get, "/_/log", [])))
  }

  /// All that was done, in order.
  func done() async throws -> [String] { try await calls().flatMap(\.done) }

  private func control(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]
  ) async throws -> [UInt8] {
    let request = HTTPRequest(
      method: method, scheme: "http", authority: "127.0.0.1:\(ports["http"] ?? 0)", path: path)
    return try await client.send(
      request, body: body, deadline: .seconds(30), maxResponseBytes: 16 << 20
    ).1
  }

  // MARK: Providers

  func cloudFront(
    _ change: (inout CloudFront.Configuration) -> Void = { _ in }
  ) throws -> CloudFront {
    var configuration = CloudFront.Configuration(
      distribution: "EDFDVBD6EXAMPLE", accessKey: Self.accessKey, secretKey: Self.secretKey)
    configuration.endpoint = endpoint("cloudfront")
    change(&configuration)
    return try CloudFront(configuration, client)
  }

  func cloudflare(
    _ change: (inout Cloudflare.Configuration) -> Void = { _ in }
  ) throws -> Cloudflare {
    var configuration = Cloudflare.Configuration(
      zone: "023e105f4ecef8ad9ca31a8372d0c353", token: Self.token, host: "live.example")
    configuration.endpoint = endpoint("cloudflare") + "/client/v4"
    change(&configuration)
    return try Cloudflare(configuration, client)
  }

  func fastly(_ change: (inout Fastly.Configuration) -> Void = { _ in }) throws -> Fastly {
    var configuration = Fastly.Configuration(
      service: "SU1Z0isxPaozGVKXdv0eY", token: Self.token, host: "live.example")
    configuration.endpoint = endpoint("fastly")
    change(&configuration)
    return try Fastly(configuration, client)
  }

  func generic() throws -> GenericPurge {
    let base = endpoint("http")
    var configuration = GenericPurge.Configuration(
      path: .init("PURGE", base + "{path}"), prefix: .init("BAN", base + "{prefix}"),
      tag: .init("PURGE", base + "/tags/{tag}", headers: [("X-Key", "{tag}")]))
    configuration.headers = [("X-Purge-Token", Self.token)]
    configuration.softHeader = ("X-Soft", "1")
    return try GenericPurge(configuration, client)
  }
}

func tags(_ names: some Sequence<String>, wedding: String? = nil) -> [CDNPurge] {
  names.map { CDNPurge(wedding: wedding ?? $0, .tag($0), reason: "test") }
}

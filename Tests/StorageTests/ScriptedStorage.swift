import Foundation
import HTTPClient
import HTTPTypes
import PythonSupport
import Testing

@testable import Storage

/// A storage in a child process, with faults on demand:
/// `Tests/Integration/support/storage_server.py`.
final class ScriptedStorage: Sendable {
  let authority: String
  let client: HTTPClient
  private let server: PythonServer

  init() throws {
    client = try HTTPClient()
    server = try PythonServer(support: "storage_server.py")
    authority = try server.authority
  }

  static let patience: StoragePatience = {
    var patience = StoragePatience()
    patience.pause = .milliseconds(10)
    patience.timeout = .seconds(20)
    patience.stall = .seconds(20)
    return patience
  }()

  func s3(_ change: (inout S3Configuration) -> Void = { _ in }) throws -> S3Storage {
    var configuration = S3Configuration(
      bucket: "weddings", accessKey: "AKIATEST", secretKey: "s3cret/key+")
    configuration.endpoint = "http://\(authority)"
    configuration.prefix = "kept here/"
    configuration.partBytes = 5 << 20
    configuration.patience = Self.patience
    change(&configuration)
    return try S3Storage(configuration, http: client)
  }

  func telegram(_ change: (inout TelegramConfiguration) -> Void = { _ in }) throws
    -> TelegramStorage
  {
    var configuration = TelegramConfiguration(token: "123:abc_DEF-4", chat: "@weddings")
    configuration.api = "http://\(authority)"
    configuration.partBytes = 1 << 20
    configuration.patience = Self.patience
    change(&configuration)
    return try TelegramStorage(configuration, http: client)
  }

  /// Sets what goes wrong next: `match` is searched for in `PUT /path?query`.
  func faults(_ faults: [[String: Any]]) async throws {
    let body = Array(
      try JSONSerialization.data(
        withJSONObject: faults.map { ["times": 1].merging($0) { _, new in new } }))
    _ = try await ask("/_faults", body)
  }

  /// The requests since the last call.
  func log() async throws -> [String] {
    String(decoding: try await ask("/_log"), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  struct Stock: Decodable {
    var objects: [String: Int]
    var uploads: Int
  }

  func stock() async throws -> Stock {
    try JSONDecoder().decode(Stock.self, from: Data(try await ask("/_objects")))
  }

  private func ask(_ path: String, _ body: [UInt8] = []) async throws -> [UInt8] {
    let request = HTTPRequest(
      method: body.isEmpty ? .get : .post, scheme: "http", authority: authority, path: path)
    return try await client.send(request, body: body, deadline: .seconds(20)).1
  }
}

/// The checkpoints that an upload gave, one after the other.
actor Notes {
  private(set) var all: [UploadCheckpoint] = []

  func add(_ checkpoint: UploadCheckpoint) { all.append(checkpoint) }
}

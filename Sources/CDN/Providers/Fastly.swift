import Foundation
package import HTTPClient
import HTTPTypes

/// Fastly: purges of a service by surrogate keys, and of single addresses, with a token.
///
/// Fastly knows no prefixes: a prefix's purge is that of the wedding's key. Source: Fastly API,
/// "Purging".
package struct Fastly: CDNProvider {
  package struct Configuration: Sendable {
    package var service: String
    package var token: String
    /// The host that viewers ask: single addresses are named by it.
    package var host: String
    package var endpoint = "https://api.fastly.com"
    /// Keys in one call.
    package var maxKeys = 256
    /// The surrogate key that all of a wedding carries.
    package var weddingKey = "{wedding}"
    package var deadline: Duration = .seconds(20)

    package init(service: String, token: String, host: String) {
      self.service = service
      self.token = token
      self.host = host
    }
  }

  package let name = "fastly"
  package var deadline: Duration { call.deadline }
  private let configuration: Configuration
  private let address: CDNAddress
  private let call: CDNCall

  /// - Throws: `.misconfigured`, with a sentence for a person.
  package init(_ configuration: Configuration, _ client: HTTPClient) throws(CDNError) {
    guard CDNAddress.isIdentifier(configuration.service) else {
      throw CDNError(
        .misconfigured, "\(configuration.service.debugDescription) is no service's id")
    }
    guard CDNAddress.isCredential(configuration.token) else {
      throw CDNError(.misconfigured, "Fastly needs a token")
    }
    _ = try CDNAddress("https://\(configuration.host)")
    self.configuration = configuration
    address = try CDNAddress(configuration.endpoint)
    call = CDNCall(client: client, deadline: configuration.deadline)
  }

  package func group(of purge: CDNPurge) -> PurgeGroup {
    let mode = purge.isSoft ? "soft" : "hard"
    if case .path = purge.target { return PurgeGroup("address, \(mode)", limit: 1) }
    return PurgeGroup("keys, \(mode)", limit: configuration.maxKeys)
  }

  package func send(_ batch: PurgeBatch) async throws(CDNError) {
    guard let first = batch.purges.first else { return }
    var path = "\(address.basePath)/service/\(configuration.service)/purge"
    var body: [UInt8] = []
    if case .path(let object) = first.target {
      path = "\(address.basePath)/purge/\(configuration.host)\(object)"
    } else {
      guard let encoded = try? JSONEncoder().encode(["surrogate_keys": keys(batch)]) else {
        throw CDNError(.refused, "keys that can't be written as JSON")
      }
      body = Array(encoded)
    }
    var request = HTTPRequest(
      method: .post, scheme: address.scheme, authority: address.authority, path: path)
    Self.set("Fastly-Key", configuration.token, &request)
    request.headerFields[.accept] = "application/json"
    if !body.isEmpty { request.headerFields[.contentType] = "application/json" }
    if first.isSoft { Self.set("Fastly-Soft-Purge", "1", &request) }
    let (response, bytes) = try await call.send(request, body, words: Self.words)
    guard (try? JSONDecoder().decode([String: String].self, from: Data(bytes))) != nil else {
      throw CDNError(.malformed, "HTTP \(response.status.code) with an answer that is none")
    }
  }

  private func keys(_ batch: PurgeBatch) -> [String] {
    var seen: Set<String> = []
    return batch.purges.map { purge in
      if case .tag(let tag) = purge.target { return tag }
      return configuration.weddingKey.replacingOccurrences(of: "{wedding}", with: purge.wedding)
    }.filter { seen.insert($0).inserted }
  }

  private static func set(_ name: String, _ value: String, _ request: inout HTTPRequest) {
    if let field = HTTPField.Name(name) { request.headerFields[field] = value }
  }

  private struct Answer: Decodable {
    var msg: String?
    var detail: String?
  }

  private static func words(_ body: [UInt8]) -> String? {
    (try? JSONDecoder().decode(Answer.self, from: Data(body))).flatMap { answer in
      answer.msg.map { $0 + (answer.detail.map { ": \($0)" } ?? "") }
    }
  }
}

import Foundation
package import HTTPClient
import HTTPTypes

/// Cloudflare: purges of a zone by tags, prefixes or files, with a token.
///
/// It knows no soft purge: what was to be purged softly is gone for good. Source: Cloudflare API,
/// "Purge Cached Content".
package struct Cloudflare: CDNProvider {
  package struct Configuration: Sendable {
    package var zone: String
    package var token: String
    /// The host that viewers ask, with a port where it has one: files and prefixes are named by it.
    package var host: String
    package var endpoint = "https://api.cloudflare.com/client/v4"
    /// Tags, prefixes or files in one call; plans of old take 30.
    package var maxItems = 100
    package var deadline: Duration = .seconds(20)

    package init(zone: String, token: String, host: String) {
      self.zone = zone
      self.token = token
      self.host = host
    }
  }

  package let name = "cloudflare"
  package var deadline: Duration { call.deadline }
  private let configuration: Configuration
  private let address: CDNAddress
  private let call: CDNCall

  /// - Throws: `.misconfigured`, with a sentence for a person.
  package init(_ configuration: Configuration, _ client: HTTPClient) throws(CDNError) {
    guard CDNAddress.isIdentifier(configuration.zone) else {
      throw CDNError(.misconfigured, "\(configuration.zone.debugDescription) is no zone's id")
    }
    guard CDNAddress.isCredential(configuration.token) else {
      throw CDNError(.misconfigured, "Cloudflare needs a token")
    }
    _ = try CDNAddress("https://\(configuration.host)")
    self.configuration = configuration
    address = try CDNAddress(configuration.endpoint)
    call = CDNCall(client: client, deadline: configuration.deadline)
  }

  package func group(of purge: CDNPurge) -> PurgeGroup {
    // A call has one of them alone.
    switch purge.target {
    case .tag: PurgeGroup("tags", limit: configuration.maxItems)
    case .path: PurgeGroup("files", limit: configuration.maxItems)
    case .prefix: PurgeGroup("prefixes", limit: configuration.maxItems)
    }
  }

  private struct Answer: Decodable {
    struct Problem: Decodable {
      var code: Int
      var message: String
    }
    var success: Bool
    var errors: [Problem]?

    var words: String? {
      guard let errors, !errors.isEmpty else { return nil }
      return errors.map { "\($0.code) \($0.message)" }.joined(separator: "; ")
    }
  }

  package func send(_ batch: PurgeBatch) async throws(CDNError) {
    var kinds: [String: [String]] = [:]
    var seen: Set<CDNPurge.Target> = []
    for purge in batch.purges where seen.insert(purge.target).inserted {
      switch purge.target {
      case .tag(let tag): kinds["tags", default: []].append(tag)
      case .path(let path):
        kinds["files", default: []].append("https://\(configuration.host)\(path)")
      case .prefix(let prefix):
        // Without a scheme.
        kinds["prefixes", default: []].append(configuration.host + prefix)
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard kinds.count == 1, let body = try? encoder.encode(kinds) else {
      throw CDNError(.refused, "a call to Cloudflare has purges of one kind")
    }
    var request = HTTPRequest(
      method: .post, scheme: address.scheme, authority: address.authority,
      path: "\(address.basePath)/zones/\(configuration.zone)/purge_cache")
    request.headerFields[.authorization] = "Bearer \(configuration.token)"
    request.headerFields[.contentType] = "application/json"
    let (response, bytes) = try await call.send(request, Array(body)) { bytes in
      (try? JSONDecoder().decode(Answer.self, from: Data(bytes)))?.words
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(bytes)) else {
      throw CDNError(.malformed, "HTTP \(response.status.code) with an answer that is none")
    }
    if !answer.success {
      throw CDNError(.unavailable, answer.words ?? "it says that it failed, and not why")
    }
  }
}

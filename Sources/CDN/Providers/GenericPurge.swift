import Foundation
package import HTTPClient
import HTTPTypes

/// Any cache that is told by a request for each purge, such as Varnish's `PURGE` and `BAN`.
///
/// Addresses and headers have `{wedding}`, `{tag}`, `{path}` and `{prefix}` in them; in an address
/// a tag and a wedding are escaped. What there is no address for is widened to the wedding's
/// prefix, where there is one for that.
package struct GenericPurge: CDNProvider {
  /// How one kind of purge is asked for.
  package struct Form: Sendable, Equatable {
    package var method: String
    /// `https://cache.example{path}`.
    package var address: String
    /// Such as `Surrogate-Key: {tag}`.
    package var headers: [(name: String, value: String)]

    package init(
      _ method: String = "PURGE", _ address: String, headers: [(name: String, value: String)] = []
    ) {
      self.method = method
      self.address = address
      self.headers = headers
    }

    package static func == (left: Form, right: Form) -> Bool {
      left.method == right.method && left.address == right.address
        && left.headers.elementsEqual(right.headers, by: ==)
    }
  }

  package struct Configuration: Sendable {
    package var path: Form?
    package var prefix: Form?
    package var tag: Form?
    /// Sent with soft purges; nil where the cache knows none.
    package var softHeader: (name: String, value: String)?
    /// Sent with all, such as a credential.
    package var headers: [(name: String, value: String)] = []
    /// Where all of a wedding is, for purges by tag where there is no form for tags.
    package var weddingPrefix = "/hls/{wedding}/"
    package var deadline: Duration = .seconds(20)

    package init(path: Form? = nil, prefix: Form? = nil, tag: Form? = nil) {
      self.path = path
      self.prefix = prefix
      self.tag = tag
    }
  }

  package let name = "http"
  package var deadline: Duration { call.deadline }
  private let configuration: Configuration
  private let call: CDNCall

  /// - Throws: `.misconfigured`, with a sentence for a person.
  package init(_ configuration: Configuration, _ client: HTTPClient) throws(CDNError) {
    let forms = [configuration.path, configuration.prefix, configuration.tag].compactMap(\.self)
    guard !forms.isEmpty else {
      throw CDNError(.misconfigured, "there is no address for any kind of purge")
    }
    for form in forms {
      guard HTTPRequest.Method(form.method) != nil else {
        throw CDNError(.misconfigured, "\(form.method.debugDescription) is no method")
      }
      let host = form.address.prefix { $0 != "{" }
      _ = try CDNAddress(String(host.prefix { $0 != "?" }))
    }
    let headers =
      configuration.headers + forms.flatMap(\.headers)
      + [configuration.softHeader].compactMap(\.self)
    for header in headers {
      guard HTTPField.Name(header.name) != nil,
        header.value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
      else {
        throw CDNError(.misconfigured, "\(header.name.debugDescription) can't be sent as a header")
      }
    }
    self.configuration = configuration
    call = CDNCall(client: client, deadline: configuration.deadline)
  }

  package func group(of purge: CDNPurge) -> PurgeGroup { PurgeGroup("one", limit: 1) }

  package func send(_ batch: PurgeBatch) async throws(CDNError) {
    for purge in batch.purges {
      let request = try request(purge)
      do throws(CDNError) {
        _ = try await call.send(request) { _ in nil }
      } catch {
        // Varnish's and nginx' answer where there is nothing to purge.
        guard error.message == "HTTP 404" else { throw error }
      }
    }
  }

  private func request(_ purge: CDNPurge) throws(CDNError) -> HTTPRequest {
    let widened = configuration.weddingPrefix.replacingOccurrences(
      of: "{wedding}", with: purge.wedding)
    let form: Form?
    var (tag, path, prefix) = ("", "", widened)
    switch purge.target {
    case .tag(let text):
      tag = text
      form = configuration.tag ?? configuration.prefix
    case .path(let text):
      path = text
      form = configuration.path ?? configuration.prefix
    case .prefix(let text):
      prefix = text
      form = configuration.prefix
    }
    guard let form else {
      throw CDNError(.refused, "there is no address for purges of this kind")
    }
    let fill = { (text: String, isAddress: Bool) in
      let (wedding, tag) = isAddress ? (escaped(purge.wedding), escaped(tag)) : (purge.wedding, tag)
      return text.replacingOccurrences(of: "{wedding}", with: wedding)
        .replacingOccurrences(of: "{tag}", with: tag)
        .replacingOccurrences(of: "{path}", with: path)
        .replacingOccurrences(of: "{prefix}", with: prefix)
    }
    let parts = fill(form.address, true).split(separator: "://", maxSplits: 1)
    guard parts.count == 2, let method = HTTPRequest.Method(form.method) else {
      throw CDNError(.refused, "the address is none")
    }
    let slash = parts[1].firstIndex(of: "/") ?? parts[1].endIndex
    var request = HTTPRequest(
      method: method, scheme: String(parts[0]), authority: String(parts[1][..<slash]),
      path: slash == parts[1].endIndex ? "/" : String(parts[1][slash...]))
    var headers = configuration.headers + form.headers
    if purge.isSoft, let soft = configuration.softHeader { headers.append(soft) }
    for (name, value) in headers {
      if let field = HTTPField.Name(name) { request.headerFields[field] = fill(value, false) }
    }
    return request
  }
}

/// A word as it stands in an address.
private func escaped(_ text: String) -> String {
  text.addingPercentEncoding(
    withAllowedCharacters: CharacterSet(
      charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")) ?? ""
}

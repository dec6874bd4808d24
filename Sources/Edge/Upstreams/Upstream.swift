/// A server that stands behind an edge: `http://host:port` or `https://…`, without a path.
package struct Upstream: Hashable, Sendable, CustomStringConvertible {
  package let scheme: String
  /// `host` or `host:port`, as it stands in an address.
  package let authority: String

  package init(scheme: String, authority: String) {
    self.scheme = scheme
    self.authority = authority
  }

  /// Reads an address; nil for other schemes, and where there is a user's name, a path or a query.
  ///
  /// - Parameter text: with a scheme and a host; a slash may follow.
  package init?(_ text: String) {
    let scheme = text.hasPrefix("https://") ? "https" : "http"
    guard text.hasPrefix(scheme + "://") else { return nil }
    var rest = text.dropFirst(scheme.count + 3)
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.isEmpty, !rest.contains(where: { "/?#@ \\".contains($0) || !$0.isASCII }) else {
      return nil
    }
    let isBracketed = rest.hasPrefix("[")
    let host = isBracketed ? rest.prefix { $0 != "]" } : rest.prefix { $0 != ":" }
    guard host.count > (isBracketed ? 1 : 0) else { return nil }
    let tail = rest[host.endIndex...].drop { $0 == "]" }
    if !tail.isEmpty {
      guard tail.hasPrefix(":"), let port = UInt16(tail.dropFirst()), port > 0 else { return nil }
    }
    self.init(scheme: scheme, authority: String(rest).lowercased())
  }

  package var description: String { "\(scheme)://\(authority)" }
}

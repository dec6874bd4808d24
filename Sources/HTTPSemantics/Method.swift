/// The request methods that the server tells apart (RFC 9110, 9; RFC 5789).
package enum Method: UInt8, Equatable, Sendable, CaseIterable {
  case get, head, post, put, delete, options, patch
  /// Anything else: CONNECT, TRACE, or a method this server has never heard of.
  case other

  /// Reads a method; methods are case-sensitive.
  package init(_ bytes: borrowing Span<UInt8>) {
    self =
      switch bytes.count {
      case 3 where bytes.matches("GET"): .get
      case 3 where bytes.matches("PUT"): .put
      case 4 where bytes.matches("HEAD"): .head
      case 4 where bytes.matches("POST"): .post
      case 5 where bytes.matches("PATCH"): .patch
      case 6 where bytes.matches("DELETE"): .delete
      case 7 where bytes.matches("OPTIONS"): .options
      default: .other
      }
  }

  /// The method as it is written on the wire; `nil` for `.other`.
  package var name: String? {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    case .other: nil
    }
  }

  /// Whether the answer may come from a prepared response: GET and HEAD.
  package var isRetrieval: Bool { self == .get || self == .head }
}

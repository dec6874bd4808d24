import HTTPTypes

/// A request as libcurl takes it, checked.
struct OutgoingRequest: Sendable {
  let url: String
  let isSecure: Bool
  let method: String
  /// `Name: value` lines.
  let headers: [String]
  let body: OutgoingBody
  /// Whether it may be answered with a 304.
  let isConditional: Bool

  /// Checks a request.
  ///
  /// - Throws: `.badRequest` when the address is not one of `http` or `https`, holds credentials,
  ///   or a byte that has no place in a request line.
  init(_ request: HTTPRequest, body: OutgoingBody) throws(HTTPClientError) {
    guard let scheme = request.scheme?.lowercased(), scheme == "http" || scheme == "https" else {
      throw HTTPClientError(.badRequest, "the scheme is neither http nor https")
    }
    guard let authority = request.authority, !authority.isEmpty else {
      throw HTTPClientError(.badRequest, "the address names no host")
    }
    guard authority.utf8.allSatisfy(OutgoingRequest.isAuthority) else {
      throw HTTPClientError(.badRequest, "the host has a character that has no place there")
    }
    let path = request.path ?? "/"
    guard path.utf8.first == UInt8(ascii: "/"),
      path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
    else {
      throw HTTPClientError(.badRequest, "the path has a character that must be escaped")
    }
    isSecure = scheme == "https"
    url = "\(scheme)://\(authority)\(path)"
    method = request.method.rawValue
    self.body = body
    var lines: [String] = []
    for field in request.headerFields {
      lines.append(field.value.isEmpty ? "\(field.name.rawName);" : "\(field.name): \(field.value)")
    }
    // What libcurl would add by itself: a form's type, and a wait for 100 Continue.
    if request.headerFields[.contentType] == nil { lines.append("Content-Type:") }
    lines.append("Expect:")
    headers = lines
    isConditional = [.ifNoneMatch, .ifModifiedSince].contains { request.headerFields.contains($0) }
  }

  private static func isAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"),
      UInt8(ascii: "["), UInt8(ascii: "]"):
      true
    default: false
    }
  }
}

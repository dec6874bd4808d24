/// Where an API is: `https://host:port/base`.
struct CDNAddress: Equatable, Sendable {
  let scheme: String
  let authority: String
  /// Without a slash at its end.
  let basePath: String

  /// - Throws: `.misconfigured`, naming what was given.
  init(_ text: String) throws(CDNError) {
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "https" || parts[0] == "http" else {
      throw CDNError(.misconfigured, "\(text): expected http:// or https://")
    }
    let rest = parts[1]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let host = rest[..<slash]
    guard !host.isEmpty, rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      !rest.contains(where: { $0 == "@" || $0 == "?" || $0 == "#" })
    else { throw CDNError(.misconfigured, "\(text): expected the address of a host") }
    var path = String(rest[slash...])
    while path.hasSuffix("/") { path.removeLast() }
    scheme = String(parts[0])
    authority = String(host)
    basePath = path
  }

  /// Whether a name can stand in a path as it is: an id of an account, a zone, a distribution.
  static func isIdentifier(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        switch $0 {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
  }

  /// Whether a secret can stand in a header.
  static func isCredential(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}

/// An `rtmp://` or `rtmps://` address taken apart: `rtmp://host:port/app/name?query`.
///
/// The name may be a secret; the description leaves it out.
package struct StreamAddress: Equatable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible
{
  package enum Failure: Error, Equatable, Sendable {
    /// Neither `rtmp` nor `rtmps`.
    case scheme
    case host
    case port
    /// There is no `/app/name`.
    case path
  }

  package let isSecure: Bool
  /// Without the brackets of an IPv6 address.
  package let host: String
  /// 1935 or 443 (rtmps) if none is given.
  package let port: UInt16
  /// Everything between the host and the last slash before a query.
  package let app: String
  /// What follows it, with its query, as `publish` and `play` send it.
  package let streamName: String
  /// What `connect` sends: everything without the stream's name.
  package let tcUrl: String

  /// Takes an address apart.
  ///
  /// - Throws: `Failure`, which names the part that is wrong.
  package init(_ text: String) throws(Failure) {
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw .scheme }
    switch parts[0].lowercased() {
    case "rtmp": isSecure = false
    case "rtmps": isSecure = true
    default: throw .scheme
    }
    let rest = parts[1]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let authority = rest[..<slash]
    (host, port) = try Self.split(authority, defaultPort: isSecure ? 443 : 1935)
    let path = rest[slash...].dropFirst()
    let mark = path.firstIndex(of: "?") ?? path.endIndex
    guard let last = path[..<mark].lastIndex(of: "/") else { throw .path }
    app = String(path[..<last])
    streamName = String(path[path.index(after: last)...])
    guard !app.isEmpty, last < path.index(before: mark) else { throw .path }
    tcUrl = "\(isSecure ? "rtmps" : "rtmp")://\(authority)/\(app)"
  }

  package var description: String { tcUrl }
  package var debugDescription: String { tcUrl }

  private static func split(
    _ authority: Substring, defaultPort: UInt16
  ) throws(Failure) -> (String, UInt16) {
    var host = authority
    var port: Substring?
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { throw .host }
      host = authority[authority.index(after: authority.startIndex)..<end]
      let tail = authority[authority.index(after: end)...]
      guard tail.isEmpty || tail.first == ":" else { throw .host }
      port = tail.isEmpty ? nil : tail.dropFirst()
    } else if let colon = authority.firstIndex(of: ":") {
      host = authority[..<colon]
      port = authority[authority.index(after: colon)...]
    }
    guard !host.isEmpty, !host.contains("@") else { throw .host }
    guard let port else { return (String(host), defaultPort) }
    guard let number = UInt16(port), number > 0 else { throw .port }
    return (String(host), number)
  }
}

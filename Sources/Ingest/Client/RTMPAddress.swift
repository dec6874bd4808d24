/// Where a stream is published to or played from: `rtmp://host:1935/live/name?token=…`.
///
/// The name often is a secret, so the description leaves it out.
package struct RTMPAddress: Equatable, Sendable, CustomStringConvertible {
  /// Why a text is no such address; a sentence for a person.
  package struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// Whether it is `rtmps`.
  package let isSecure: Bool
  /// A name or a numeric address, without brackets.
  package let host: String
  package let port: UInt16
  /// The application: the first part of the path.
  package let app: String
  /// The rest of the path, with its query.
  package let streamName: String

  package init(isSecure: Bool, host: String, port: UInt16, app: String, streamName: String) {
    self.isSecure = isSecure
    self.host = host
    self.port = port
    self.app = app
    self.streamName = streamName
  }

  /// Reads an address; without a port it is 1935, or 443 for `rtmps`.
  package init(_ text: String) throws(Malformed) {
    let secure = text.lowercased().hasPrefix("rtmps://")
    guard secure || text.lowercased().hasPrefix("rtmp://") else {
      throw Malformed(description: "an address starts with rtmp:// or rtmps://")
    }
    let rest = text.dropFirst(secure ? 8 : 7)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let (host, port) = try Self.authority(rest[..<slash], standard: secure ? 443 : 1935)
    let path = rest[slash...].drop { $0 == "/" }
    guard let end = path.firstIndex(of: "/"), end != path.startIndex else {
      throw Malformed(
        description: "an address has an application and a name, as in rtmp://host/live/name")
    }
    let name = path[path.index(after: end)...]
    guard let first = name.first, first != "?" else {
      throw Malformed(description: "the name of the stream is missing behind /\(path[..<end])/")
    }
    guard !text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else {
      throw Malformed(description: "an address has no spaces in it")
    }
    self.init(
      isSecure: secure, host: host, port: port, app: String(path[..<end]),
      streamName: String(name))
  }

  private static func authority(
    _ text: Substring, standard: UInt16
  ) throws(Malformed) -> (String, UInt16) {
    var host = text
    var port = standard
    let bracket = text.lastIndex(of: "]")
    if let colon = text.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
      guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else {
        throw Malformed(description: "the port is a number from 1 to 65535")
      }
      port = number
      host = text[..<colon]
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, !host.contains("@") else {
      throw Malformed(description: "the host is missing, as in rtmp://host/live/name")
    }
    return (String(host), port)
  }

  /// The address without the name, as `connect` says it.
  package var tcUrl: String {
    let scheme = isSecure ? "rtmps" : "rtmp"
    let name = host.contains(":") ? "[\(host)]" : host
    let suffix = port == (isSecure ? 443 : 1935) ? "" : ":\(port)"
    return "\(scheme)://\(name)\(suffix)/\(app)"
  }

  package var description: String { tcUrl + "/…" }
}

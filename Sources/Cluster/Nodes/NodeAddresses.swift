/// Where others reach a node: `host:port`, or `[address]:port`.
package struct NodeAddresses: Equatable, Sendable {
  /// Its listener for other nodes.
  package var http: String
  package var rtmp: String?
  package var rtmps: String?
  package var https: String?
  package var admin: String?

  package init(
    http: String, rtmp: String? = nil, rtmps: String? = nil, https: String? = nil,
    admin: String? = nil
  ) {
    self.http = http
    self.rtmp = rtmp
    self.rtmps = rtmps
    self.https = https
    self.admin = admin
  }

  /// Whether each is a host and a port and nothing else.
  var areValid: Bool {
    [http, rtmp ?? http, rtmps ?? http, https ?? http, admin ?? http].allSatisfy(Self.isAddress)
  }

  /// Whether a text is a host and a port: no path, no user, nothing that a URL would read
  /// otherwise.
  static func isAddress(_ text: String) -> Bool {
    guard text.utf8.count <= 262, let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...]), port > 0
    else { return false }
    let host = text[..<colon]
    if host.hasPrefix("[") {
      return host.hasSuffix("]") && host.count > 2
        && host.dropFirst().dropLast().utf8.allSatisfy { byte in
          switch byte {
          case 48...57, 65...70, 97...102, UInt8(ascii: ":"), UInt8(ascii: "."): true
          default: false
          }
        }
    }
    return NameRule.allows(host, longest: 253)
  }
}

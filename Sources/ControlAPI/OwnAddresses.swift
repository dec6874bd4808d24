package import HTTPTypes

/// Where a node is reached by itself: by the name that it was given, or else by the one that it was
/// asked by.
package struct OwnAddresses: Sendable {
  /// What a node is called that was given no name: whoever is elsewhere gets nowhere with it.
  package static let nameless = "localhost"

  private let host: String
  /// The ports that it listens on; nil where there is none.
  private let https: UInt16?
  private let http: UInt16?
  private let rtmp: UInt16?
  private let rtmps: UInt16?

  /// - Parameters:
  ///   - host: the node's name; `localhost` says nothing to anybody.
  ///   - https: its ports; nil for those that there are not.
  ///   - http: where it may be asked without TLS, too.
  ///   - rtmp: for publishers.
  ///   - rtmps: the same with TLS.
  package init(host: String, https: UInt16?, http: UInt16?, rtmp: UInt16?, rtmps: UInt16?) {
    self.host = host
    self.https = https
    self.http = http
    self.rtmp = rtmp
    self.rtmps = rtmps
  }

  /// - Parameter request: that is to be answered with them.
  /// - Returns: what there is.
  package func known(asked request: HTTPRequest) -> KnownAddresses {
    let asked = request.authority.flatMap(Self.split)
    let name = host == Self.nameless ? asked?.host ?? host : host
    var web = https.map { Self.web(name, $0) }
    // A balancer in front has ports of its own, and viewers come by these; but not without TLS.
    if host == Self.nameless, let asked, asked.port.map({ $0 != http }) ?? true {
      web = Self.web(asked.host, asked.port ?? 443)
    }
    return KnownAddresses(
      web: web, rtmp: rtmp.map { "rtmp://\(Self.literal(name)):\($0)/live" },
      rtmps: rtmps.map { "rtmps://\(Self.literal(name)):\($0)/live" })
  }

  /// `https://host:port`, without the port where it goes without saying.
  package static func web(_ host: String, _ port: UInt16) -> String {
    port == 443 ? "https://\(literal(host))" : "https://\(literal(host)):\(port)"
  }

  /// A host as it stands in addresses.
  package static func literal(_ host: String) -> String {
    host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
  }

  /// The host and the port of what a request names; nil for what could be neither.
  private static func split(_ authority: String) -> (host: String, port: UInt16?)? {
    var host = authority[...]
    var port: UInt16?
    if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
      guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else {
        return nil
      }
      host = authority[..<colon]
      port = number
    }
    // It goes into an answer: a name or a number and nothing else.
    let isLiteral = host.hasPrefix("[") && host.hasSuffix("]")
    let inner = isLiteral ? host.dropFirst().dropLast() : host
    let isFit =
      (1...253).contains(inner.utf8.count)
      && inner.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
          true
        case UInt8(ascii: ":"): isLiteral
        default: false
        }
      }
    return isFit ? (String(host), port) : nil
  }
}

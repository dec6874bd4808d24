/// Where a listener listens, or that it does not: `1935`, `127.0.0.1:9113`, `[::1]:443`, `off`.
enum Endpoint: Equatable, Sendable, CustomStringConvertible {
  case off
  /// Without a host: every address of the machine, IPv6 and IPv4. Port 0 takes a free one.
  case on(host: String?, port: UInt16)

  static func port(_ port: UInt16) -> Endpoint { .on(host: nil, port: port) }

  /// Reads the written form; nil where it isn't one.
  ///
  /// A host name is one, whether it resolves or not.
  ///
  /// - Parameters:
  ///   - text: `9113`, `host:9113`, `*:9113` or `off`.
  ///   - alone: the host of a port that is named alone; nil for all addresses.
  init?(_ text: String, alone: String? = nil) {
    if text.lowercased() == "off" {
      self = .off
      return
    }
    guard let colon = text.lastIndex(of: ":") else {
      guard let port = UInt16(text) else { return nil }
      self = .on(host: alone, port: port)
      return
    }
    guard let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty, !host.contains(where: \.isWhitespace) else {
      guard host.isEmpty else { return nil }
      self = .on(host: nil, port: port)
      return
    }
    self = .on(host: host == "*" ? nil : host, port: port)
  }

  /// The written form where a port alone means a host.
  func text(alone: String?) -> String {
    if alone != nil, case .on(nil, let port) = self { return "*:\(port)" }
    return description
  }

  /// The written form.
  var description: String {
    switch self {
    case .off: "off"
    case .on(nil, let port): "\(port)"
    case .on(let host?, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }

  /// The port; nil when off.
  var port: UInt16? {
    if case .on(_, let port) = self { port } else { nil }
  }

  /// Where a program on this machine reaches it; nil when off.
  var local: String? {
    switch self {
    case .off: nil
    case .on(nil, let port): "127.0.0.1:\(port)"
    case .on: description
    }
  }
}

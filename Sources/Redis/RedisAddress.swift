/// Where Redis is, and as whom to log in: the `redis.url` of a configuration.
///
/// - `redis://user:password@host:6379/0`, and `rediss://…` with TLS
/// - `unix:///run/redis.sock?db=1`, with `user:password@` before the path where it needs one
/// - `redis+sentinel://user:password@host:26379,host:26379/primary/0`, and `rediss+sentinel://…`
///
/// The description leaves the password out.
package struct RedisAddress: Equatable, Sendable, CustomStringConvertible {
  /// A place that a socket connects to.
  package enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name or a numeric address without brackets.
    case tcp(host: String, port: UInt16)
    /// The path of a socket in the file system.
    case unix(String)

    package var description: String {
      switch self {
      case .tcp(let host, let port):
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .unix(let path): path
      }
    }
  }

  /// How the server is found.
  package enum Place: Equatable, Sendable {
    case server(Endpoint)
    /// Whatever these Sentinels say is the primary of this name.
    case sentinels([Endpoint], primary: String)
  }

  /// Why a text is no such address; a sentence for a person, without the text.
  package struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
  }

  package var place: Place
  /// Whether connections are encrypted, to Sentinels too.
  package var isSecure = false
  /// The ACL user; nil: the default one.
  package var user: String?
  package var password: String?
  package var database = 0

  package init(_ place: Place) { self.place = place }

  /// Reads an address.
  package init(_ text: String) throws(Malformed) {
    guard let mark = text.firstRange(of: "://") else { throw Self.scheme }
    let rest = text[mark.upperBound...]
    guard !text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else {
      throw Malformed(description: "an address has no spaces in it")
    }
    switch text[..<mark.lowerBound].lowercased() {
    case "redis": try self.init(server: rest, isSecure: false)
    case "rediss": try self.init(server: rest, isSecure: true)
    case "unix": try self.init(socket: rest)
    case "redis+sentinel": try self.init(sentinels: rest, isSecure: false)
    case "rediss+sentinel": try self.init(sentinels: rest, isSecure: true)
    default: throw Self.scheme
    }
  }

  private static let scheme = Malformed(
    description: "an address starts with redis://, rediss://, unix://, redis+sentinel:// or "
      + "rediss+sentinel://")

  private init(server text: Substring, isSecure: Bool) throws(Malformed) {
    let (login, rest) = Self.splitLogin(text)
    let parts = Self.path(rest)
    guard parts.count <= 2 else { throw Self.database }
    self.init(.server(try Self.endpoint(parts[0], port: 6379)))
    self.isSecure = isSecure
    try logIn(login)
    if parts.count == 2 { try select(parts[1]) }
  }

  private init(socket text: Substring) throws(Malformed) {
    let (login, rest) = Self.splitLogin(text)
    let pieces = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = Self.decoded(pieces[0]), path.hasPrefix("/"), path.utf8.count < 108 else {
      throw Malformed(
        description: "a socket is a whole path of at most 107 bytes, as in unix:///run/redis.sock")
    }
    self.init(.server(.unix(path)))
    try logIn(login)
    if pieces.count == 2 {
      guard pieces[1].hasPrefix("db=") else {
        throw Malformed(description: "behind the socket's path only ?db=NUMBER is understood")
      }
      try select(pieces[1].dropFirst(3))
    }
  }

  private init(sentinels text: Substring, isSecure: Bool) throws(Malformed) {
    let (login, rest) = Self.splitLogin(text)
    let parts = Self.path(rest)
    guard parts.count >= 2, let name = Self.decoded(parts[1]), !name.isEmpty else {
      throw Malformed(
        description: "the primary's name is missing, as in redis+sentinel://host:26379/primary")
    }
    guard parts.count <= 3 else { throw Self.database }
    var endpoints: [Endpoint] = []
    for piece in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
      endpoints.append(try Self.endpoint(piece, port: 26379))
    }
    self.init(.sentinels(endpoints, primary: name))
    self.isSecure = isSecure
    try logIn(login)
    if parts.count == 3 { try select(parts[2]) }
  }

  package var description: String {
    let scheme = isSecure ? "rediss" : "redis"
    let name = user.map { "\($0)@" } ?? ""
    switch place {
    case .server(.unix(let path)): return "unix://\(name)\(path)?db=\(database)"
    case .server(let endpoint): return "\(scheme)://\(name)\(endpoint)/\(database)"
    case .sentinels(let endpoints, let primary):
      let hosts = endpoints.map(\.description).joined(separator: ",")
      return "\(scheme)+sentinel://\(name)\(hosts)/\(primary)/\(database)"
    }
  }
}

extension RedisAddress {
  fileprivate static let database = Malformed(
    description: "the database is a number, as in redis://host:6379/0")

  /// What stands before the last `@` of the part that names hosts, and the rest.
  fileprivate static func splitLogin(_ text: Substring) -> (Substring?, Substring) {
    guard let at = text.lastIndex(of: "@") else { return (nil, text) }
    return (text[..<at], text[text.index(after: at)...])
  }

  fileprivate static func path(_ text: Substring) -> [Substring] {
    var parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
    return parts
  }

  fileprivate mutating func logIn(_ login: Substring?) throws(Malformed) {
    guard let login else { return }
    let pieces = login.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard pieces.count == 2, let name = Self.decoded(pieces[0]),
      let secret = Self.decoded(pieces[1])
    else {
      throw Malformed(
        description: "before the @ stands user:password, or :password; "
          + "other characters are written as %XX")
    }
    user = name.isEmpty ? nil : name
    password = secret.isEmpty ? nil : secret
  }

  fileprivate mutating func select(_ text: Substring) throws(Malformed) {
    guard let number = UInt16(text) else { throw Self.database }
    database = Int(number)
  }

  fileprivate static func endpoint(
    _ text: Substring, port standard: UInt16
  ) throws(Malformed) -> Endpoint {
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
    guard !host.isEmpty, !host.contains(where: { "@?#[]".contains($0) }) else {
      throw Malformed(description: "the host is missing, as in redis://host:6379/0")
    }
    return .tcp(host: String(host), port: port)
  }

  /// Text with its `%XX` replaced; nil where one is none, or it isn't UTF-8.
  fileprivate static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst(), let low = rest.popFirst(),
        let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

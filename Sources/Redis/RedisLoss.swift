package import EventLoop

/// Why there is no connection to a server; the next attempt comes by itself.
package enum RedisLoss: Error, Equatable, Sendable {
  /// No address could be connected to; the last one that was tried.
  case unreachable(SystemError, at: String)
  case unknownHost(String)
  /// TLS failed; the words are OpenSSL's.
  case insecure(String)
  /// The server refuses us: wrong password, no such database, no permission.
  case refused(RedisServerError)
  /// The server is a replica, or a Sentinel, where a primary is wanted; its own word for it.
  case notPrimary(String)
  /// The server is still reading its data from disk.
  case loading
  /// No Sentinel knows a primary of this name.
  case noPrimary(String)
  /// The server sent what isn't a reply; the words say what.
  case violated(String)
  /// The server did not connect, answer, or take anything for too long.
  case silent(Stage, at: String)
  /// The server ended the connection.
  case closedByServer
  /// The connection broke.
  case broken(SystemError)
  /// Sentinel made another server the primary.
  case primaryMoved
  /// We ended it ourselves.
  case closed

  /// How far a connection had come.
  package enum Stage: String, Sendable { case connecting, securing, opening, open }

  /// One of a fixed few, for a metric's label.
  package var code: String {
    switch self {
    case .unreachable: "unreachable"
    case .unknownHost: "unknown_host"
    case .insecure: "tls"
    case .refused: "refused"
    case .notPrimary: "not_primary"
    case .loading: "loading"
    case .noPrimary: "no_primary"
    case .violated: "protocol"
    case .silent: "silent"
    case .closedByServer: "closed_by_server"
    case .broken: "broken"
    case .primaryMoved: "primary_moved"
    case .closed: "closed"
    }
  }
}

extension RedisLoss: CustomStringConvertible {
  /// A sentence for a person; no password is in it.
  package var description: String {
    switch self {
    case .unreachable(let error, let place): "\(place) can't be reached: \(error)"
    case .unknownHost(let host): "\(host): there is no such host"
    case .insecure(let words): "no secure connection: \(words)"
    case .refused(let error): Self.refusal(error)
    case .notPrimary(let role): "the server is a \(role), not the primary"
    case .loading: "the server is still loading its data"
    case .noPrimary(let name): "no Sentinel knows a primary called \(name)"
    case .violated(let words): "the server doesn't speak Redis' protocol: \(words)"
    case .silent(.open, let place): "\(place) doesn't answer any more"
    case .silent(let stage, let place): "\(place) doesn't answer (\(stage.rawValue))"
    case .closedByServer: "the server closed the connection"
    case .broken(let error): "the connection broke: \(error)"
    case .primaryMoved: "another server has become the primary"
    case .closed: "closed"
    }
  }

  private static func refusal(_ error: RedisServerError) -> String {
    switch error.kind {
    case "WRONGPASS":
      "the server takes the user or password that its URL (redis.url) has for wrong: \(error)"
    // What it says goes on with how a client would log in, which no operator has asked.
    case "NOAUTH":
      "the server wants a password, and its URL (redis.url) has none: redis://:PASSWORD@HOST"
    default: "the server refuses us: \(error)"
    }
  }
}

/// A server as it introduced itself.
package struct RedisServer: Equatable, Sendable, CustomStringConvertible {
  /// Where it was reached: `10.0.0.1:6379` or a socket's path.
  package let address: String
  /// Such as `7.0.15`; empty where it didn't say.
  package let version: String
  /// `master`, `replica` or, for a Sentinel, `sentinel`.
  package let role: String
  /// `standalone`, `sentinel` or `cluster`.
  package let mode: String

  package init(address: String, version: String, role: String, mode: String) {
    self.address = address
    self.version = version
    self.role = role
    self.mode = mode
  }

  package var description: String { "\(address) (Redis \(version), \(role))" }
}

/// Whether a client has a connection to a primary.
package enum RedisState: Equatable, Sendable {
  /// The first attempt is under way.
  case connecting
  /// Commands are sent to this server; the number grows with each new connection.
  case connected(RedisServer, connection: Int)
  /// There is none, and attempts go on.
  case lost(RedisLoss)
  /// The client was closed.
  case closed

  package var isConnected: Bool { if case .connected = self { true } else { false } }
}

import Foundation
import TLS

/// What two processes of a node tell each other while one takes over from the other.
struct UpgradeMessage: Codable, Equatable, Sendable {
  enum Kind: String, Codable, Sendable {
    /// From the old one, at once: what is secret, and so in no environment.
    case bequest
    /// From the new one: it accepts connections.
    case ready
    /// From the old one: it has let go of all that one process alone may have.
    case yours
  }

  /// Where a process shows the streams that it still has.
  struct Door: Codable, Equatable, Sendable {
    /// On this machine.
    var port: UInt16
    /// Whose it is.
    var process: Int32?
    /// What who asks shows a pass of: the same for all processes of a node.
    var secret: [UInt8]
  }

  var kind: Kind
  /// Of this protocol: a process that doesn't know it says so and ends.
  var version = UpgradeMessage.version
  /// What TLS session tickets are sealed with, newest first.
  var tickets: [[UInt8]]?
  /// Of the old one and of those before it.
  var doors: [Door]?

  static let version = 1
  /// The longest that is read.
  static let mostBytes = 60 << 10

  /// The keys that the old one seals tickets with.
  var ticketKeys: TicketKeys? {
    tickets.map { TicketKeys($0.compactMap { TicketKey(bytes: $0) }) }
  }

  init(_ kind: Kind) { self.kind = kind }

  /// Reads one; nil where it is none.
  init?(json bytes: [UInt8]) {
    guard bytes.count <= Self.mostBytes,
      let message = try? JSONDecoder().decode(UpgradeMessage.self, from: Data(bytes))
    else { return nil }
    self = message
  }

  var json: [UInt8] { (try? JSONEncoder().encode(self)).map { Array($0) } ?? [] }
}

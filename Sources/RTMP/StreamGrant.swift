/// Under which lease a server has a publisher's stream, and who of its publishers this one is: what
/// a relay is told of it, and tells the next server.
///
/// A lease outlives publishers: another one may go on with the stream at the same server. Of two
/// that were granted it under the same lease, the one that was granted it last has it.
package struct StreamGrant: Equatable, Sendable {
  /// Which grant of a server it is.
  package struct Turn: Equatable, Sendable {
    private static let longestRun = 32

    /// Names the server's process, whose grants alone can be compared.
    package let run: String
    /// Grows with each grant; not negative.
    package let number: Int64

    /// - Parameters:
    ///   - run: letters and digits.
    ///   - number: not negative.
    package init(run: String, number: Int64) {
      self.run = run
      self.number = number
    }

    /// Reads what `text` says; nil for anything else.
    package init?(_ text: String) {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let number = Int64(parts[1]), number >= 0,
        (1...Self.longestRun).contains(parts[0].utf8.count),
        parts[0].utf8.allSatisfy({
          (0x30...0x39).contains($0) || (0x41...0x5a).contains($0 & 0xdf)
        })
      else { return nil }
      self.init(run: String(parts[0]), number: number)
    }

    /// For a status, and for a query.
    package var text: String { "\(run).\(number)" }
  }

  /// The number of the lease.
  package let epoch: Int64
  /// Nil where it isn't known: a server of an earlier version doesn't say so.
  package let turn: Turn?

  package init(epoch: Int64, turn: Turn? = nil) {
    self.epoch = epoch
    self.turn = turn
  }

  /// Reads it from a status; nil where it isn't there, or its number is none.
  init?(_ status: Status) {
    guard let epoch = RelayProgress.number("epoch", of: status), epoch > 0 else { return nil }
    self.init(epoch: epoch, turn: status.more["grant"]?.string.flatMap { Turn($0) })
  }

  /// Whether the other one was granted later; false where nobody can tell.
  package func isBefore(_ other: StreamGrant) -> Bool {
    guard epoch == other.epoch else { return epoch < other.epoch }
    guard let turn, let next = other.turn, turn.run == next.run else { return false }
    return turn.number < next.number
  }

  func append(to properties: inout AMFObject) {
    properties.append("epoch", .number(Double(epoch)))
    if let turn { properties.append("grant", .string(turn.text)) }
  }
}

package import EventLoop

/// A node as this one sees it.
package struct KnownNode: Equatable, Sendable {
  /// What it said of itself last.
  package var record: NodeRecord
  /// Whether its record has expired in Redis while Redis was well.
  package var isSuspect = false
  /// Whether a check of ours has passed since it became suspect.
  package var hasAnswered = false
  /// Whether it fails our checks, or those who use it.
  package var isDown = false
  /// Whether it is down and nothing shows that it lives: no heartbeat, and no answer for as long as
  /// a record lasts without one; or, whatever its heartbeats say, no answer for twice as long.
  package var isLost = false
  /// Whether it is to be gone: it has said so to Redis, or to us.
  package var isLeaving = false
  /// Whether something fails at it, as its record or its answer to a check said last.
  package var isAiling: Bool
  /// When it began, on this machine's clock, as its own uptime says.
  package var began: MonotonicTime

  /// When its record was written, on this machine's clock.
  package var written: MonotonicTime

  /// When a check of ours last passed, as long as it is suspect or down; nil: none has, or nobody
  /// asks.
  package var answered: MonotonicTime?

  package init(record: NodeRecord, began: MonotonicTime, written: MonotonicTime) {
    self.record = record
    isAiling = record.condition.fault != nil
    self.began = began
    self.written = written
  }

  package var id: NodeID { record.id }

  /// When there was a sign of life of it last: its record, or its answer to a check.
  package var seen: MonotonicTime { max(written, answered ?? written) }

  /// Whether it can be talked to: streams that it has are fetched from it.
  package var isReachable: Bool { !isDown && (!isSuspect || hasAnswered) }

  /// Whether it gets new streams and viewers; new streams only where no other origin takes them,
  /// while something fails at it.
  package var isUsable: Bool { isReachable && record.state == .ready }

  /// What fails at it; nil: nothing that is known of.
  ///
  /// Where Redis is away its answers to checks say that something does, and not what.
  package var fault: String? {
    isAiling ? record.condition.fault ?? "It says that something fails there" : nil
  }

  /// All that `status` can be.
  static let statuses = [
    "usable", "faulty", "starting", "draining", "drained", "suspect", "down",
  ]

  /// One word for a table or a metric.
  package var status: String {
    if isLost { return isLeaving ? "drained" : "down" }
    // It gave a sign of life a moment ago, and may give the next one.
    if isDown || isSuspect { return "suspect" }
    if isLeaving { return "draining" }
    switch record.state {
    case .ready: return isAiling ? "faulty" : "usable"
    case .draining: return "draining"
    case .starting: return "starting"
    }
  }
}

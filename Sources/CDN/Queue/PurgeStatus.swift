/// How a queue of purges stands, for all nodes together.
package struct PurgeStatus: Equatable, Sendable {
  /// Waiting, those that are under way among them.
  package var queued = 0
  /// Done, ever.
  package var sent = 0
  /// Given up, ever; the last of them are in `failures`.
  package var failed = 0
  /// What the last call that failed failed by, and whose purge was in it; nil: none has.
  package var lastError: String?
  /// When, in milliseconds since 1970.
  package var lastErrorTime: UInt64?
  /// How long the oldest one has waited.
  package var oldestAge: Duration?
  /// The node that does them now, where one does.
  package var holder: String?

  package init() {}
}

/// A purge that was given up.
package struct FailedPurge: Equatable, Sendable {
  package let purge: CDNPurge
  package let error: String
  /// When it was queued, in milliseconds since 1970.
  package let queued: UInt64
}

/// How a queue of purges behaves.
package struct PurgeQueueConfiguration: Sendable {
  /// The Redis stream; each CDN has one of its own.
  ///
  /// What belongs to it shares its hash slot.
  package var key = "wl:cdn:purges"
  /// The stream's consumer group.
  package var group = "cdn"
  /// Purges that wait at once; more are refused, none is dropped.
  package var maxQueued = 20_000
  /// Given-up purges that are kept to be looked at.
  package var maxFailures = 1_000
  /// How often a node looks for purges of others, and for retries that are due.
  package var poll: Duration = .seconds(1)
  /// How long the node that does them may be silent before another one does.
  ///
  /// At least twice what a call may take: a node that was overtaken must not have one under way.
  package var hold: Duration = .seconds(40)
  /// Between the first two tries; doubled for each further one, less up to half by chance.
  package var firstPause: Duration = .seconds(1)
  package var longestPause: Duration = .seconds(300)
  /// A purge that has failed so often is given up.
  package var maxAttempts = 20
  /// A purge that is still not done after so long is given up, whatever the reason.
  package var maxAge: Duration = .seconds(6 * 3_600)
  /// For a command to Redis.
  package var deadline: Duration = .seconds(5)

  package init() {}
}

package import Transcode

/// How a stream's rungs are made.
package struct LadderConfiguration: Sendable {
  /// What a worker is asked for; rungs stand from the largest picture to the smallest.
  package var job = LadderJob()
  /// How many of the source's segments may be finished after one that a rung still lacks.
  package var patience = 2
  /// A worker that takes frames and gives none for so long is replaced.
  package var hangTimeout = Duration.seconds(8)
  /// A worker that falls so far behind is replaced: what it owes would come too late anyway.
  package var maximumLag = Duration.seconds(15)
  /// So many workers may be lost within a minute; then the stream goes on without them for a while.
  package var failures = 5
  /// How long a stream goes on without a worker after that.
  package var pause = Duration.seconds(60)
  /// How long the last segments of a publisher that has gone are waited for.
  package var settleTimeout = Duration.seconds(3)
  /// A rung that nobody has asked for within so many seconds is not encoded; nil encodes all of
  /// them.
  package var idleSeconds: UInt64?
  /// The worker's command.
  static let command = "transcode-worker"

  /// The binary that has the worker's command.
  package var executable = "/proc/self/exe"

  package init() {}
}

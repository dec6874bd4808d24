/// Where purges wait.
protocol PurgeStore: Sendable {
  /// Whether it can't be reached now, and somebody says so already.
  var isAway: Bool { get }

  /// Adds purges: all or none of up to 500.
  ///
  /// - Throws: `.full`, or `.queueUnavailable`: then some may have been added.
  func add(_ purges: [CDNPurge]) async throws(CDNError)

  /// Asks to be the one that does them, or to stay it.
  func hold() async throws(CDNError) -> PurgeHold

  /// Lets another one do them at once.
  func release() async

  /// Those that were handed out, ever, and are not done.
  func unfinished() async throws(CDNError) -> [QueuedPurge]

  /// Those that nobody was handed yet, in order.
  func take(_ count: Int) async throws(CDNError) -> [QueuedPurge]

  /// They are done.
  func finish(_ entries: [QueuedPurge]) async throws(CDNError)

  /// They are given up.
  func giveUp(_ entries: [QueuedPurge], _ error: CDNError) async throws(CDNError)

  /// A call failed that will be tried again.
  func note(_ error: CDNError, of purge: CDNPurge) async

  func status() async throws(CDNError) -> PurgeStatus

  /// The last ones that were given up, newest first.
  func failures(_ count: Int) async throws(CDNError) -> [FailedPurge]
}

extension PurgeStore {
  var isAway: Bool { false }
}

/// Whether a node is the one that does the purges.
enum PurgeHold: Equatable, Sendable {
  /// Another one is.
  case none
  /// It wasn't, and is.
  case taken
  /// It was, and is.
  case kept
}

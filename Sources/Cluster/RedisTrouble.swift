package import Logging
package import Redis

/// What somebody says whom Redis fails again and again: each trouble once.
///
/// That Redis is away is one line for all, with what it means (`RedisReport`): what each of them
/// lacks by that is for who looks closer.
package struct RedisTrouble: Sendable {
  private let isAway: @Sendable () -> Bool
  private var said = ""
  private var level = Logger.Level.trace

  /// - Parameter client: which fails.
  package init(_ client: RedisClient) {
    self.init { !client.state.isConnected }
  }

  init(isAway: @escaping @Sendable () -> Bool) { self.isAway = isAway }

  /// Notes that something has failed.
  ///
  /// - Parameter words: how.
  /// - Returns: how loud it is to be said; nil where it has been.
  package mutating func level(for words: String) -> Logger.Level? {
    let level: Logger.Level = isAway() ? .debug : .warning
    guard words != said || level > self.level else { return nil }
    said = words
    self.level = level
    return level
  }

  /// All is well: the next trouble is news.
  package mutating func isOver() {
    said = ""
    level = .trace
  }
}

import EventLoop
import Redis

/// For how long a connection to Redis has been there, as far as anybody has looked.
struct ConnectionAge {
  /// The number of the one that was seen last, and since when it is there.
  private var connection = 0
  private var since = MonotonicTime.now

  /// Looks at a client's state.
  ///
  /// - Returns: how old its connection is; nil where there is none.
  mutating func age(_ state: RedisState) -> Duration? {
    guard case .connected(_, let connection) = state else { return nil }
    if self.connection != connection {
      self.connection = connection
      since = .now
    }
    return MonotonicTime.now - since
  }
}

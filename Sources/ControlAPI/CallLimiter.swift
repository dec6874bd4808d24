import Synchronization

/// Bounds how often one client may ask for something.
///
/// Counts in windows of some seconds, and forgets all of them at the end of each: cheap, and
/// bounded in memory whatever addresses come.
final class CallLimiter: Sendable {
  private struct Window {
    var began: Int64 = 0
    var counts: [Int: Int] = [:]
  }

  /// More clients than these within a window share what is left of it.
  private static let mostClients = 65_536

  private let limit: Int
  private let seconds: Int64
  private let window = Mutex(Window())

  /// Makes a limiter.
  ///
  /// - Parameters:
  ///   - limit: calls of one client in a window.
  ///   - seconds: how long a window is.
  init(limit: Int, seconds: Int64) {
    self.limit = limit
    self.seconds = seconds
  }

  /// Counts a call.
  ///
  /// - Parameters:
  ///   - client: a hash of who calls.
  ///   - now: seconds since 1970.
  /// - Returns: seconds to wait, nil where the call is within the limit.
  func wait(_ client: Int, now: Int64) -> Int64? {
    window.withLock { window in
      if now >= window.began + seconds || now < window.began {
        window = Window(began: now)
      }
      let client = window.counts.count < Self.mostClients ? client : 0
      let count = (window.counts[client] ?? 0) + 1
      window.counts[client] = count
      return count > limit ? max(1, window.began + seconds - now) : nil
    }
  }
}

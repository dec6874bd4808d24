import Synchronization

/// Counts, from any thread.
final class Calls: Sendable {
  let number = Mutex(0)
  var count: Int { number.withLock { $0 } }
  func note() { number.withLock { $0 += 1 } }
}

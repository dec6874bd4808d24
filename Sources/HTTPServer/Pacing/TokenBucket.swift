package import EventLoop

/// How many bytes may be sent by now: so many a second, and no more than its capacity at once.
///
/// It may begin with more than it can hold; that much is then there once.
package struct TokenBucket: Equatable, Sendable {
  package let bytesPerSecond: Int
  package let capacity: Int
  package private(set) var tokens: Int
  /// Up to when the tokens have been counted; what is less than a byte since then isn't lost.
  private var counted: MonotonicTime

  /// Makes a full bucket.
  ///
  /// - Parameters:
  ///   - bytesPerSecond: 1 to 10 GB.
  ///   - capacity: at least 1.
  ///   - initial: what it begins with; its capacity where that is nil.
  ///   - now: by the clock that it is asked with later.
  package init(
    bytesPerSecond: Int, capacity: Int, initial: Int? = nil, at now: MonotonicTime
  ) {
    self.bytesPerSecond = min(max(1, bytesPerSecond), 10_000_000_000)
    self.capacity = max(1, capacity)
    tokens = max(0, initial ?? capacity)
    counted = now
  }

  /// What may be sent now.
  package mutating func refill(at now: MonotonicTime) -> Int {
    guard now > counted else { return tokens }
    guard tokens < capacity else {
      counted = now
      return tokens
    }
    let rate = UInt64(bytesPerSecond)
    let elapsed = now.nanoseconds - counted.nanoseconds
    let seconds = elapsed / 1_000_000_000
    // More than it holds, however long it was left alone.
    guard seconds <= UInt64(capacity) / rate else {
      tokens = capacity
      counted = now
      return tokens
    }
    let earned = elapsed * rate / 1_000_000_000
    guard tokens + Int(earned) < capacity else {
      tokens = capacity
      counted = now
      return tokens
    }
    tokens += Int(earned)
    counted = counted + .nanoseconds(Int64(earned * 1_000_000_000 / rate))
    return tokens
  }

  /// Spends tokens; they may have been granted by another bucket as well, so none are left at
  /// worst.
  package mutating func spend(_ bytes: Int) { tokens = max(0, tokens - bytes) }
}

import EventLoop

/// How fast one connection's responses may be sent, from its first one that is paced on.
///
/// Without a socket and with the caller's clock, so that it can be tested without either.
struct ConnectionPace {
  /// What is granted at a time at least, so that frames don't become tiny.
  static let leastGrant = 4_096
  /// What a bucket holds at least: with no more than a grant, what comes between two ticks is lost.
  static let leastCapacity = 3 * leastGrant
  /// What is granted at a time at most: the others of the connection want some, too.
  static let mostGrant = 64 << 10

  private var whole: TokenBucket?
  private var responses: [Int32: TokenBucket?] = [:]
  /// Left of what a connection may send at its beginning.
  private(set) var startBytes: Int
  private var wholeRate = 0

  init(_ pace: Pace) { startBytes = pace.startBytes }

  var isEmpty: Bool { responses.isEmpty }

  func isPaced(_ stream: Int32) -> Bool { responses[stream] != nil }

  /// Begins a response.
  mutating func begin(_ stream: Int32, _ pace: Pace, at now: MonotonicTime) {
    if pace.connectionRate != wholeRate {
      wholeRate = pace.connectionRate
      whole =
        wholeRate > 0
        ? TokenBucket(
          bytesPerSecond: wholeRate, capacity: max(pace.connectionBurst, Self.leastCapacity),
          at: now)
        : nil
    }
    // A tenth of a second at once.
    let bucket: TokenBucket? =
      pace.responseRate > 0
      ? TokenBucket(
        bytesPerSecond: pace.responseRate,
        capacity: max(pace.responseRate / 10, Self.leastCapacity), at: now) : nil
    responses[stream] = .some(bucket)
  }

  mutating func end(_ stream: Int32) { responses[stream] = nil }

  /// What a response may send now.
  ///
  /// - Returns: bytes that are spent by this; 0: it has to wait.
  mutating func grant(_ stream: Int32, at now: MonotonicTime) -> Int {
    guard let response = responses[stream] else { return .max }
    var most = Self.mostGrant
    if let all = whole?.refill(at: now) {
      guard all >= Self.leastGrant else { return 0 }
      most = min(most, all)
    }
    if var bucket = response {
      let own = bucket.refill(at: now)
      let granted: Int
      if own >= Self.leastGrant {
        granted = min(most, own)
        bucket.spend(granted)
      } else {
        granted = startBytes >= Self.leastGrant ? min(most, startBytes) : 0
        startBytes -= granted
      }
      responses[stream] = .some(bucket)
      most = granted
    }
    whole?.spend(most)
    return most
  }
}

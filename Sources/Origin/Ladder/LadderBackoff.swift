import EventLoop

/// Decides when a worker that was lost is replaced.
///
/// At once where it had made something; after a longer and longer while where it had not; and where
/// too many were lost within a minute, the stream goes on without one for a while.
struct LadderBackoff {
  /// What follows a loss.
  enum Answer: Equatable {
    case replace(after: Duration)
    case pause(Duration)
  }

  private let failures: Int
  private let pause: Duration
  private var losses: [MonotonicTime] = []
  /// How many workers were lost one after the other without a segment.
  private(set) var fruitless = 0
  /// Whether too many were lost, so that there is none for a while.
  private(set) var isPaused = false

  init(_ configuration: LadderConfiguration) {
    failures = configuration.failures
    pause = configuration.pause
  }

  /// A worker is gone.
  mutating func lost(at now: MonotonicTime) -> Answer {
    defer { fruitless += 1 }
    losses = losses.filter { now - $0 < .seconds(60) } + [now]
    guard losses.count > failures else {
      return .replace(after: fruitless == 0 ? .zero : .milliseconds(100 << min(fruitless, 6)))
    }
    losses.removeAll()
    isPaused = true
    return .pause(pause)
  }

  /// Another worker is tried.
  mutating func started() { isPaused = false }

  /// A worker has made a segment.
  mutating func madeSegment() { fruitless = 0 }
}

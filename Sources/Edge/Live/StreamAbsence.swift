import EventLoop

/// For how long no node has told of a stream, and what viewers have heard of that.
struct StreamAbsence {
  private let configuration: LiveConfiguration
  /// Nil while a node tells of it.
  private var since: MonotonicTime?
  /// When viewers were told that it is over, as nobody had it.
  private var ended: MonotonicTime?
  private var pause: Duration

  init(_ configuration: LiveConfiguration) {
    self.configuration = configuration
    pause = configuration.firstPause
  }

  /// Whether viewers were told that it is over.
  var isEnded: Bool { ended != nil }

  /// A node has told of it.
  mutating func heard() { self = StreamAbsence(configuration) }

  /// Nobody has it.
  ///
  /// - Returns: whether somebody had it a moment ago.
  mutating func missed(at now: MonotonicTime) -> Bool {
    guard since == nil else { return false }
    since = now
    return true
  }

  /// Whether that has been so for the grace, since it was last seen or since its end was told.
  func isOverdue(at now: MonotonicTime) -> Bool {
    now - (ended ?? since ?? now) >= configuration.grace
  }

  /// Viewers are told that it is over.
  mutating func end(at now: MonotonicTime) { ended = now }

  /// How long to wait before the next question: each time longer.
  mutating func nextPause() -> Duration {
    defer { pause = min(pause * 2, configuration.longestPause) }
    return pause
  }
}

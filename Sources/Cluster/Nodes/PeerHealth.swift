import EventLoop

/// What is known of a peer from talking to it: by checks of ours, and by those who use it.
///
/// The two are counted apart: a peer that answers checks may fail at all else.
struct PeerHealth: Equatable, Sendable {
  /// When it failed those who use it, within `failTimeout`; at most `maxFails`.
  private var failures: [MonotonicTime] = []
  /// Until when it is left alone after those.
  private var leftAloneUntil: MonotonicTime?
  /// Checks that failed since the last one that passed.
  private(set) var failedChecks = 0
  /// When the last check passed.
  private(set) var passed: MonotonicTime?

  /// Counts a failure that somebody saw in using it.
  mutating func failed(_ limits: ClusterConfiguration, at now: MonotonicTime) {
    failures.removeAll { now - $0 > limits.failTimeout }
    failures.append(now)
    if failures.count >= max(1, limits.maxFails) {
      leftAloneUntil = now + limits.failTimeout
      failures = []
    }
  }

  /// Somebody used it and all was well.
  mutating func succeeded() {
    failures = []
    leftAloneUntil = nil
  }

  /// A check of ours has ended.
  ///
  /// One that was gone for our checks, too, and answers again has most likely been started again:
  /// what it failed in was that it was gone.
  mutating func checked(
    _ passed: Bool, _ limits: ClusterConfiguration, at now: MonotonicTime
  ) {
    if passed, failsChecks(limits) { succeeded() }
    failedChecks = passed ? 0 : min(failedChecks + 1, 1_000_000)
    if passed { self.passed = now }
  }

  /// Whether our checks say that it is gone.
  func failsChecks(_ limits: ClusterConfiguration) -> Bool {
    failedChecks >= max(1, limits.maxFails)
  }

  /// Whether it is not to be used.
  func isDown(_ limits: ClusterConfiguration, at now: MonotonicTime) -> Bool {
    failsChecks(limits) || leftAloneUntil.map { now < $0 } ?? false
  }
}

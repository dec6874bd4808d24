/// Whether a body that nobody reads comes fast enough to be gone on with.
///
/// It is of use to those who come later, but only when it has come: one that drips would hold a
/// connection for hours, and silence, which ends it, is never long enough.
package struct UnreadPace: Sendable {
  /// What it must bring.
  package struct Rule: Equatable, Sendable {
    /// Bytes a second; 0: however few.
    package var rate: Int
    /// Over how long.
    package var over: Duration

    package init(rate: Int = 64 << 10, over: Duration = .seconds(10)) {
      self.rate = rate
      self.over = over
    }
  }

  private let rule: Rule
  /// Since when it is looked at, and how much had come by then.
  private var start: (at: ContinuousClock.Instant, bytes: Int)?

  package init(_ rule: Rule) { self.rule = rule }

  /// Looks at it, as more has come.
  ///
  /// - Parameters:
  ///   - bytes: that have come in all; nil while somebody reads it, which begins the time anew.
  ///   - now: by the clock.
  /// - Returns: whether it came too slowly for as long as the rule says.
  package mutating func isTooSlow(_ bytes: Int?, at now: ContinuousClock.Instant) -> Bool {
    guard rule.rate > 0, let bytes else {
      start = nil
      return false
    }
    guard let start else {
      self.start = (now, bytes)
      return false
    }
    let passed = now - start.at
    guard passed >= rule.over else { return false }
    self.start = (now, bytes)
    return Double(bytes - start.bytes) < Double(rule.rate) * (passed / .seconds(1))
  }
}

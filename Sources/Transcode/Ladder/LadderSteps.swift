import Media

/// Decides when a worker that can't keep up does less, and when it does all again.
///
/// It knows no clock: it is asked at each cut, for only there can an encoder change. In order, a
/// step down is a faster preset, at most twice, and then the largest rung left out, until one is
/// left.
struct LadderSteps {
  private let patience: MediaTime
  private let recovery: Duration
  private let presets: Int
  /// How many steps down.
  private(set) var step = 0
  /// The cut before: when, and its media time.
  private var last: (now: Duration, time: MediaTime)?
  /// Since when it has kept up.
  private var keptUp: Duration?
  /// When the last step up was, and how many times longer the next one is waited for.
  private var steppedUp: Duration?
  private var caution = 1

  /// Starts without a step.
  ///
  /// - Parameters:
  ///   - patience: the lag from which on a step down is taken.
  ///   - recovery: how long it must keep up before a step up.
  ///   - presets: how many faster presets there are.
  init(patience: MediaTime, recovery: Duration, presets: Int) {
    self.patience = patience
    self.recovery = recovery
    self.presets = presets
  }

  /// How many presets faster than the job's, and how many of the largest rungs left out.
  var choice: (presets: Int, rungs: Int) { (min(step, presets), max(0, step - presets)) }

  /// A new run of media starts, on a time line of its own.
  mutating func restart() { last = nil }

  /// A cut has come.
  ///
  /// - Parameters:
  ///   - time: its media time.
  ///   - lag: what waits before the decoder.
  ///   - now: of a clock that never goes back.
  ///   - rungs: how many there would be without any step.
  /// - Returns: whether `step` is another one now.
  mutating func cut(at time: MediaTime, lag: MediaTime, now: Duration, rungs: Int) -> Bool {
    defer { last = (now, time) }
    let lowest = presets + max(0, rungs - 1)
    if step > lowest {
      step = lowest
      return true
    }
    if lag > patience {
      keptUp = nil
      // One that has fallen behind and is catching up (it was started anew, say) needs no step.
      guard let last, isSlow(since: last, at: time, now: now), step < lowest else { return false }
      if let steppedUp, now - steppedUp < recovery * 2 * caution { caution = min(caution * 2, 16) }
      steppedUp = nil
      step += 1
      return true
    }
    guard lag.ticks * 4 <= patience.ticks else {
      keptUp = nil
      return false
    }
    let since = keptUp ?? now
    keptUp = since
    if let steppedUp, now - steppedUp > recovery * 4 * caution {
      self.steppedUp = nil
      caution = 1
    }
    guard step > 0, now - since >= recovery * caution else { return false }
    step -= 1
    keptUp = now
    steppedUp = now
    return true
  }

  /// Whether less media than time went by since the last cut, or hardly more.
  private func isSlow(
    since last: (now: Duration, time: MediaTime), at time: MediaTime, now: Duration
  ) -> Bool {
    let media = (time - last.time).seconds
    let passed = (now - last.now) / Duration.seconds(1)
    return media < passed * 1.05
  }
}

import Synchronization

/// Lets a number of lines per second and event through, and counts the rest.
///
/// Without it, whoever can cause a log line can fill the disk. The number of events remembered is
/// bounded; when there are more, the new ones share one allowance.
package final class LogLimiter: Sendable {
  /// Lines of one event that were held back.
  package struct Suppressed: Sendable, Equatable {
    package let event: String
    package let count: Int

    package init(event: String, count: Int) {
      self.event = event
      self.count = count
    }
  }

  private struct Window {
    var second: Int64
    var lines = 0
    var suppressed = 0
  }

  private struct State {
    var windows: [String: Window] = [:]
    var swept: Int64 = 0
  }

  private static let others = "(other events)"
  private let perSecond: Int
  private let maxEvents: Int
  private let state = Mutex(State())

  /// Makes a limiter.
  ///
  /// - Parameters:
  ///   - perSecond: lines of one event that pass in one second of the clock.
  ///   - maxEvents: events told apart.
  package init(perSecond: Int = 10, maxEvents: Int = 512) {
    self.perSecond = perSecond
    self.maxEvents = maxEvents
  }

  /// Asks whether a line may be written now.
  ///
  /// - Parameters:
  ///   - event: the message, cut to a bounded length.
  ///   - now: the time.
  /// - Returns: whether to write it, and what earlier seconds held back and nobody has told yet.
  package func admit(_ event: String, at now: LogTime) -> (Bool, [Suppressed]) {
    let second = now.milliseconds / 1000
    let name = event.utf8.count > 128 ? String(event.prefix(128)) : event
    return state.withLock { state in
      let told = state.swept == second ? [] : LogLimiter.sweep(&state, at: second)
      let full = state.windows[name] == nil && state.windows.count >= maxEvents
      let key = full ? LogLimiter.others : name
      var window = state.windows[key] ?? Window(second: second)
      let admitted = window.lines < perSecond
      if admitted { window.lines += 1 } else { window.suppressed += 1 }
      state.windows[key] = window
      return (admitted, told)
    }
  }

  /// What was held back and not told yet; for the end of the process.
  package func drain() -> [Suppressed] {
    state.withLock { LogLimiter.sweep(&$0, at: .max) }
  }

  private static func sweep(_ state: inout State, at second: Int64) -> [Suppressed] {
    state.swept = second
    let ended = state.windows.filter { $0.value.second != second }
    for name in ended.keys { state.windows[name] = nil }
    return ended.filter { $0.value.suppressed > 0 }
      .map { Suppressed(event: $0.key, count: $0.value.suppressed) }
      .sorted { $0.event < $1.event }
  }
}

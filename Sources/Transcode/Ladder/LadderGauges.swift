import Media
import Synchronization

/// What the worker's threads count, for its reports.
final class LadderGauges: Sendable {
  private struct Counts {
    var report = LadderReport()
    /// Decoding times of the newest source picture that came and that the decoder took.
    var received: MediaTime?
    var taken: MediaTime?
  }

  private let counts = Mutex(Counts())

  /// A source picture has come.
  func receive(_ time: MediaTime) { counts.withLock { $0.received = time } }

  /// A source picture goes to the decoder.
  func take(_ time: MediaTime) { counts.withLock { $0.taken = time } }

  /// Pictures have come out of the decoder, or could not.
  func count(decoded: UInt64 = 0, dropped: UInt64 = 0, encoded: UInt64 = 0) {
    counts.withLock { counts in
      counts.report.decoded += decoded
      counts.report.dropped += dropped
      counts.report.encoded += encoded
    }
  }

  /// Which rungs are encoded, and how many steps down.
  func set(step: Int, activeRungs: UInt32) {
    counts.withLock { counts in
      counts.report.step = step
      counts.report.activeRungs = activeRungs
    }
  }

  /// How far what is decoded is behind what has come.
  var lag: MediaTime { counts.withLock { Self.lag($0) } }

  var report: LadderReport {
    counts.withLock { counts in
      var report = counts.report
      report.lag = Self.lag(counts)
      return report
    }
  }

  private static func lag(_ counts: Counts) -> MediaTime {
    guard let received = counts.received else { return .zero }
    // A time line that leaps (a drain between two runs) is no lag.
    let lag = received - (counts.taken ?? received)
    return lag < .zero || lag > MediaTime(milliseconds: 600_000) ? .zero : lag
  }
}

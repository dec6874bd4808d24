import Media
import Synchronization

/// What the worker's threads count, for its reports.
final class LadderGauges: Sendable {
  /// What has come of one run of media, and has not all been taken by the decoder.
  private struct Run {
    /// Decoding times of the picture taken last, or else of the first that came, and of the newest.
    var from: MediaTime?
    var to: MediaTime?

    var waiting: MediaTime {
      guard let from, let to, to > from else { return .zero }
      return to - from
    }
  }

  private struct Counts {
    var report = LadderReport()
    /// The run that is decoded, and those behind it: their time lines have nothing in common.
    var runs = [Run()]

    var lag: MediaTime { runs.reduce(.zero) { $0 + $1.waiting } }
  }

  private let counts = Mutex(Counts())

  /// A source picture has come.
  func receive(_ time: MediaTime) {
    counts.withLock { counts in
      let last = counts.runs.count - 1
      if counts.runs[last].from == nil { counts.runs[last].from = time }
      counts.runs[last].to = time
    }
  }

  /// What comes next belongs to another run.
  func receiveEnd() { counts.withLock { $0.runs.append(Run()) } }

  /// A source picture goes to the decoder.
  func take(_ time: MediaTime) { counts.withLock { $0.runs[0].from = time } }

  /// The decoder has come to the end of a run.
  func takeEnd() {
    counts.withLock { counts in
      counts.runs.removeFirst()
      if counts.runs.isEmpty { counts.runs = [Run()] }
    }
  }

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
  var lag: MediaTime { counts.withLock { $0.lag } }

  var report: LadderReport {
    counts.withLock { counts in
      var report = counts.report
      report.lag = counts.lag
      return report
    }
  }
}

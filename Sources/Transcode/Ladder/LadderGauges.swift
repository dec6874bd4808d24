import Media
import Synchronization

/// What the worker's threads count, for its reports.
final class LadderGauges: Sendable {
  private struct Counts {
    var report = LadderReport()
    var pictures = LadderBacklog()
    var sounds = LadderBacklog()

    subscript(track: Track) -> LadderBacklog {
      get { track == .video ? pictures : sounds }
      set { if track == .video { pictures = newValue } else { sounds = newValue } }
    }

    /// A segment needs both: it is as late as the later one.
    var lag: MediaTime { max(pictures.lag, sounds.lag) }
  }

  private let counts = Mutex(Counts())

  /// A packet of the source has come.
  func receive(_ time: MediaTime, of track: Track) {
    counts.withLock { $0[track].receive(time) }
  }

  /// What comes next of a track belongs to another run.
  func receiveEnd(of track: Track) { counts.withLock { $0[track].receiveEnd() } }

  /// A packet of the source goes to its decoder.
  func take(_ time: MediaTime, of track: Track) { counts.withLock { $0[track].take(time) } }

  /// A track's decoder has come to the end of a run.
  func takeEnd(of track: Track) { counts.withLock { $0[track].takeEnd() } }

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

  /// How far what is decoded is behind what has come, of pictures or of sound.
  var lag: MediaTime { counts.withLock { $0.lag } }

  var report: LadderReport {
    counts.withLock { counts in
      var report = counts.report
      report.lag = counts.lag
      return report
    }
  }
}

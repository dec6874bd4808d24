/// Why somebody's wish about a recording can't be fulfilled.
package enum RecordingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no such recording.
  case unknown
  /// It is being written; it must be stopped before.
  case isRecording
  /// Nobody publishes the stream here now.
  case notLive
  /// Nothing of the stream is being recorded.
  case notRecording
  /// None of these renditions is recorded here.
  case noSuchQuality(String)
  /// The records can't be read or written now.
  case records(String)

  /// A stable word.
  package var code: String {
    switch self {
    case .unknown: "no_recording"
    case .isRecording: "is_recording"
    case .notLive: "not_live"
    case .notRecording: "not_recording"
    case .noSuchQuality: "not_recorded"
    case .records: "records_unavailable"
    }
  }

  package var description: String {
    switch self {
    case .unknown: "There is no such recording."
    case .isRecording: "It is still being recorded; stop it first (recording/stop)."
    case .notLive: "Nobody publishes this stream here now."
    case .notRecording: "This stream is not being recorded."
    case .noSuchQuality(let name):
      "\(name) is not recorded here; recording.qualities says what is."
    case .records(let words): "The records don't answer (\(words)); try again."
    }
  }
}

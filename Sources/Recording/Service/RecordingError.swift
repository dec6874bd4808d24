/// Why somebody's wish about a recording can't be fulfilled.
package enum RecordingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no such recording.
  case unknown
  /// It is being written; it must be stopped before.
  case isRecording
  /// No stream can have such a name.
  case noStream
  /// Nothing of the stream is recorded, nor was to be.
  case notRecording
  /// The records can't be read or written now.
  case records(String)

  /// A stable word.
  package var code: String {
    switch self {
    case .unknown: "no_recording"
    case .isRecording: "is_recording"
    case .noStream: "no_stream"
    case .notRecording: "not_recording"
    case .records: "records_unavailable"
    }
  }

  package var description: String {
    switch self {
    case .unknown: "There is no such recording."
    case .isRecording: "It is still being recorded; stop it first (recording/stop)."
    case .noStream: "No stream can have this name."
    case .notRecording: "This stream is not being recorded."
    case .records(let words): "The records don't answer (\(words)); try again."
    }
  }
}

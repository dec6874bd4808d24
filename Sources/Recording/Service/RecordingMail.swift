import Media
import Store

/// What the recording service is told, and does in the order of its arrival.
enum RecordingMail: Sendable {
  /// A stream's messages come from now on.
  case opened(RecordingIntake)
  /// A recorder has come further.
  case report(OpenRecording.Name, intake: UInt64, FLVRecorder.Report)
  /// The publisher of a recording has not come back.
  case expired(id: String)
  /// A record could not be kept; it is tried again.
  case save(id: String)
  /// There may be nothing left to wait for.
  case wake
  /// Somebody stops a stream's recordings, and waits to hear which.
  case stop(StreamKey, CheckedContinuation<[String], Never>)
}

/// A recording that is not over: its record, and who writes it.
struct OpenRecording: Sendable {
  /// What there is one open recording of.
  struct Name: Hashable, Sendable {
    let stream: StreamKey
    let quality: String
  }

  let name: Name
  var record: RecordingRecord
  var document: RecordingDocument
  /// Who writes it; nil while its publisher is away.
  var intake: RecordingIntake?
  /// Ends it where its publisher doesn't come back.
  var expiry: Task<Void, Never>?
  /// It has been stopped: what waits is written, and that is all.
  var isStopped = false

  /// Its record, with what the document says.
  var current: RecordingRecord {
    var record = record
    record.bytes = Int64(document.partBytes)
    record.document = document.json
    return record
  }
}

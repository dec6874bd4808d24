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
  /// Nobody reads it any more: whoever waits for an answer gets none.
  func refuse() {
    switch self {
    case .ask(_, let answer), .stop(_, let answer): answer.resume(returning: [])
    case .opened(let intake): intake.abandon()
    case .report, .expired, .save, .wake: break
    }
  }

  /// There may be nothing left to wait for.
  case wake
  /// Somebody wants to hear which recordings of a stream are open, all before that being done.
  case ask(StreamKey, CheckedContinuation<[String], Never>)
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

  struct Writer: Sendable {
    let intake: RecordingIntake
    /// Which of the parts it writes.
    var part: Int?
  }

  let name: Name
  var record: RecordingRecord
  var document: RecordingDocument
  /// Who writes it, by their queues' numbers: none while its publisher is away, two for a moment
  /// where the next one is quicker than the disk.
  var writers: [UInt64: Writer] = [:]
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

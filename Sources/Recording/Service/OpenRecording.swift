import Media
import Store

/// A recording that is not over: its record, and who writes it.
struct OpenRecording: Sendable {
  /// What there is one open recording of.
  struct Name: Hashable, Sendable {
    let stream: StreamKey
    let quality: String
  }

  struct Writer: Sendable {
    let intake: RecordingIntake
    /// Which of the recording's publishers it is, counted from 0.
    let run: Int
    /// The file of the part that it writes.
    var part: String?
  }

  let name: Name
  var record: RecordingRecord
  var document: RecordingDocument
  /// Who writes it, by their queues' numbers: none while its publisher is away, two for a moment
  /// where the next one is quicker than the disk.
  var writers: [UInt64: Writer] = [:]
  /// How many publishers it has had, as far as anything is left of them.
  var runs = 0
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

  /// Says why nothing is in it, where nothing else has been said.
  mutating func explainEmptiness() {
    guard document.reason == nil else { return }
    document.code = "no_media"
    document.reason =
      "nothing was recorded: it \(isStopped ? "was stopped" : "ended") before a picture had come that "
      + "a file can begin with (a keyframe)"
  }
}

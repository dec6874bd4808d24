import Media

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
  /// Somebody wants to hear which recordings of a stream are open, all before that being done.
  case ask(StreamKey, CheckedContinuation<[String], Never>)
  /// Somebody stops a stream's recordings, and waits to hear which.
  case stop(StreamKey, CheckedContinuation<[String], Never>)
  /// Somebody stops one recording, and waits until that is said to its recorder.
  case end(id: String, CheckedContinuation<Void, Never>)

  /// Nobody reads it any more: whoever waits for an answer gets none.
  func refuse() {
    switch self {
    case .ask(_, let answer), .stop(_, let answer): answer.resume(returning: [])
    case .end(_, let answer): answer.resume()
    case .opened(let intake): intake.abandon()
    case .report, .expired, .save, .wake: break
    }
  }
}

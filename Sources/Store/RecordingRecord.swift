/// One recording, as it is kept: what it is found by, and a document of those who make it.
package struct RecordingRecord: Sendable, Equatable {
  /// Where it stands.
  package enum State: String, Sendable, CaseIterable {
    /// Its stream is recorded, or waits for its publisher to come back.
    case recording
    /// It is over; its files are made and uploaded.
    case processing
    /// It can be watched, from wherever it is kept.
    case completed
    /// There is nothing to be had of it, or not without help.
    case failed
    /// It is being deleted, here and where it was uploaded to.
    case deleting
  }

  /// Names it in addresses and folders; never used again.
  package var id: String
  package var stream: StreamNumbers.Name
  /// The rendition that is recorded: `source`, `720p`.
  package var quality: String
  package var state: State
  /// In milliseconds since 1970.
  package var started: Int64
  /// When its last part ended; nil while it is recorded.
  package var ended: Int64?
  /// What it takes where it is kept.
  package var bytes: Int64
  /// All else, as JSON.
  package var document: String

  package init(
    id: String, stream: StreamNumbers.Name, quality: String, state: State, started: Int64,
    ended: Int64? = nil, bytes: Int64 = 0, document: String = "{}"
  ) {
    self.id = id
    self.stream = stream
    self.quality = quality
    self.state = state
    self.started = started
    self.ended = ended
    self.bytes = bytes
    self.document = document
  }
}

/// Keeps the recordings; SQLite in standalone, Redis in a cluster.
///
/// Every implementation passes the same suite of tests.
package protocol RecordingStore: Sendable {
  /// Keeps a recording, in place of what was kept under its name; on disk when this returns.
  ///
  /// - Throws: why nothing could be stored.
  func put(_ recording: RecordingRecord) async throws(StoreError)

  /// Finds a recording; nil where there is none of that name.
  func recording(_ id: String) async throws(StoreError) -> RecordingRecord?

  /// All recordings of a wedding, oldest first.
  func recordings(ofWedding wedding: String) async throws(StoreError) -> [RecordingRecord]

  /// All recordings in these states, oldest first.
  func recordings(in states: Set<RecordingRecord.State>) async throws(StoreError)
    -> [RecordingRecord]

  /// Forgets a recording; one that isn't there is no error.
  func remove(_ id: String) async throws(StoreError)
}

package import Store

/// A node's recordings, and who wants to know that one of them has changed.
package struct ObservedRecordings: RecordingStore {
  private let kept: any RecordingStore
  private let changed: @Sendable (_ id: String) -> Void

  /// - Parameters:
  ///   - kept: where they are.
  ///   - changed: told of each change that was kept; returns at once.
  package init(_ kept: any RecordingStore, changed: @escaping @Sendable (String) -> Void) {
    self.kept = kept
    self.changed = changed
  }

  package func put(_ recording: RecordingRecord) async throws(StoreError) {
    try await kept.put(recording)
    changed(recording.id)
  }

  package func recording(_ id: String) async throws(StoreError) -> RecordingRecord? {
    try await kept.recording(id)
  }

  package func recordings(ofWedding wedding: String) async throws(StoreError) -> [RecordingRecord] {
    try await kept.recordings(ofWedding: wedding)
  }

  package func recordings(
    in states: Set<RecordingRecord.State>
  ) async throws(StoreError) -> [RecordingRecord] {
    try await kept.recordings(in: states)
  }

  package func remove(_ id: String) async throws(StoreError) {
    try await kept.remove(id)
    changed(id)
  }
}

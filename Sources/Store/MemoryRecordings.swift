/// `RecordingStore` in memory: gone with the process.
package actor MemoryRecordings: RecordingStore {
  private var records: [String: RecordingRecord] = [:]

  package init() {}

  package func put(_ recording: RecordingRecord) async throws(StoreError) {
    records[recording.id] = recording
  }

  package func recording(_ id: String) async throws(StoreError) -> RecordingRecord? { records[id] }

  package func recordings(ofWedding wedding: String) async throws(StoreError) -> [RecordingRecord] {
    sorted { $0.stream.wedding == wedding }
  }

  package func recordings(
    in states: Set<RecordingRecord.State>
  ) async throws(StoreError) -> [RecordingRecord] {
    sorted { states.contains($0.state) }
  }

  package func remove(_ id: String) async throws(StoreError) { records[id] = nil }

  private func sorted(_ isIncluded: (RecordingRecord) -> Bool) -> [RecordingRecord] {
    records.values.filter(isIncluded).sorted { ($0.started, $0.id) < ($1.started, $1.id) }
  }
}

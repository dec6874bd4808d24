import Logging
import Store

// What is kept of recordings that are open, also where the disk takes its time.
extension RecordingService {
  /// Keeps a recording's record; the recording goes on where that fails, and it is tried again.
  func save(_ recording: OpenRecording) async {
    let record = recording.current
    let store = parts.store
    do throws(StoreError) {
      try await waiting(atMost: Self.patience) { () async throws(StoreError) in
        try await store.put(record)
      }
    } catch {
      log(.error, "recording.not_kept", recording, ["error": "\(error)"])
      saveLater(record.id)
    }
  }

  func saveLater(_ id: String) {
    Task { [self] in
      try? await Task.sleep(for: Self.patience)
      send(.save(id: id))
    }
  }

  func saveAgain(_ id: String) async {
    if let recording = closing[id] { return await close(recording) }
    if let recording = open.values.first(where: { $0.record.id == id }) { await save(recording) }
  }
}

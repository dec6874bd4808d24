import Store
import Synchronization

/// A store that keeps whoever puts a recording in a state waiting, until it is let go on.
final class PausingRecordings: RecordingStore {
  private struct State {
    var pausesAt: RecordingRecord.State?
    var paused: [CheckedContinuation<Void, Never>] = []
  }

  let kept = MemoryRecordings()
  private let state = Mutex(State())

  /// Whether somebody waits.
  var isPausing: Bool { state.withLock { !$0.paused.isEmpty } }

  /// The next one that puts a recording in a state waits.
  func pause(at state: RecordingRecord.State) { self.state.withLock { $0.pausesAt = state } }

  /// Those who wait go on.
  func goOn() {
    let paused = state.withLock { state in
      defer { state.paused = [] }
      return state.paused
    }
    for continuation in paused { continuation.resume() }
  }

  func put(_ recording: RecordingRecord) async throws(StoreError) {
    let pauses = state.withLock { state in
      guard state.pausesAt == recording.state else { return false }
      state.pausesAt = nil
      return true
    }
    if pauses {
      await withCheckedContinuation { continuation in
        state.withLock { $0.paused.append(continuation) }
      }
    }
    try await kept.put(recording)
  }

  func recording(_ id: String) async throws(StoreError) -> RecordingRecord? {
    try await kept.recording(id)
  }

  func recordings(ofWedding wedding: String) async throws(StoreError) -> [RecordingRecord] {
    try await kept.recordings(ofWedding: wedding)
  }

  func recordings(
    in states: Set<RecordingRecord.State>
  ) async throws(StoreError) -> [RecordingRecord] {
    try await kept.recordings(in: states)
  }

  func remove(_ id: String) async throws(StoreError) { try await kept.remove(id) }
}

/// A store that fails when a test wants it to.
final class FailingRecordings: RecordingStore {
  let kept = MemoryRecordings()
  private let isFailing = Mutex(false)

  func fail(_ fails: Bool) { isFailing.withLock { $0 = fails } }

  private func check() throws(StoreError) {
    if isFailing.withLock({ $0 }) { throw .busy("another process has it") }
  }

  func put(_ recording: RecordingRecord) async throws(StoreError) {
    try check()
    try await kept.put(recording)
  }

  func recording(_ id: String) async throws(StoreError) -> RecordingRecord? {
    try check()
    return try await kept.recording(id)
  }

  func recordings(ofWedding wedding: String) async throws(StoreError) -> [RecordingRecord] {
    try check()
    return try await kept.recordings(ofWedding: wedding)
  }

  func recordings(
    in states: Set<RecordingRecord.State>
  ) async throws(StoreError) -> [RecordingRecord] {
    try check()
    return try await kept.recordings(in: states)
  }

  func remove(_ id: String) async throws(StoreError) {
    try check()
    try await kept.remove(id)
  }
}

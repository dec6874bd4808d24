import Store
import Synchronization
import Testing

@testable import Records

/// A store that keeps nothing.
private struct FullDisk: RecordingStore, JobStore {
  func put(_ recording: RecordingRecord) async throws(StoreError) { throw .full("no room") }
  func recording(_ id: String) async throws(StoreError) -> RecordingRecord? { nil }
  func recordings(ofWedding: String) async throws(StoreError) -> [RecordingRecord] { [] }
  func recordings(
    in states: Set<RecordingRecord.State>
  ) async throws(StoreError) -> [RecordingRecord] { [] }
  func put(_ job: JobRecord) async throws(StoreError) { throw .full("no room") }
  func job(_ id: String) async throws(StoreError) -> JobRecord? { nil }
  func jobs() async throws(StoreError) -> [JobRecord] { [] }
  func remove(_ id: String) async throws(StoreError) { throw .full("no room") }
}

@Suite struct `Records that are observed` {
  private final class Changes: Sendable {
    let ids = Mutex<[String]>([])
    func note(_ id: String) { ids.withLock { $0.append(id) } }
    var all: [String] { ids.withLock { $0 } }
  }

  private let record = RecordingRecord(
    id: "a", stream: .init(wedding: "w", camera: "main"), quality: "source", state: .recording,
    started: 1)
  private let changes = Changes()

  @Test func `changes of recordings are kept, and told`() async throws {
    let store = ObservedRecordings(MemoryRecordings(), changed: changes.note)
    try await store.put(record)
    #expect(changes.all == ["a"])
    #expect(try await store.recording("a") == record)
    #expect(try await store.recordings(ofWedding: "w") == [record])
    #expect(try await store.recordings(in: [.recording]) == [record])
    #expect(try await store.recordings(in: [.failed]).isEmpty)
    #expect(changes.all == ["a"])
    try await store.remove("a")
    #expect(changes.all == ["a", "a"])
    #expect(try await store.recording("a") == nil)
  }

  @Test func `changes of jobs are kept, and told`() async throws {
    let store = ObservedJobs(MemoryJobs(), changed: changes.note)
    let job = JobRecord(id: "a", step: "remux")
    try await store.put(job)
    #expect(changes.all == ["a"])
    #expect(try await store.job("a") == job)
    #expect(try await store.jobs() == [job])
    try await store.remove("a")
    #expect(changes.all == ["a", "a"])
    #expect(try await store.jobs().isEmpty)
  }

  @Test func `what could not be kept is told to nobody`() async throws {
    let recordings = ObservedRecordings(FullDisk(), changed: changes.note)
    let jobs = ObservedJobs(FullDisk(), changed: changes.note)
    await #expect(throws: StoreError.self) { try await recordings.put(record) }
    await #expect(throws: StoreError.self) { try await recordings.remove("a") }
    await #expect(throws: StoreError.self) { try await jobs.put(JobRecord(id: "a", step: "remux")) }
    await #expect(throws: StoreError.self) { try await jobs.remove("a") }
    #expect(changes.all.isEmpty)
  }

  @Test func `what is used stays, and there is never more than may be`() {
    var values = RecentlyUsed<Int, Int>(limit: 100)
    values[-1] = 7
    for number in 0..<10_000 {
      values[number] = number
      #expect(values[-1] == 7)
    }
    let left = (0..<10_000).filter { values[$0] != nil }
    #expect((1...100).contains(left.count))
    #expect(values[9_999] == 9_999)
    values[-1] = nil
    #expect(values[-1] == nil)
  }
}

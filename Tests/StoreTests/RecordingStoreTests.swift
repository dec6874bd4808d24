import Store
import Testing

@Suite struct `Recordings, in every store` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func recording(
    _ id: String, _ wedding: String = "w", started: Int64 = 1,
    state: RecordingRecord.State = .recording
  ) -> RecordingRecord {
    RecordingRecord(
      id: id, stream: .init(wedding: wedding, camera: "main"), quality: "source", state: state,
      started: started)
  }

  @Test(arguments: Kind.allCases)
  func `a recording is found by its name, whole`(kind: Kind) async throws {
    let store = try kind.recordings(folder)
    #expect(try await store.recording("a") == nil)
    var kept = recording("a")
    kept.ended = 9
    kept.bytes = 1 << 40
    kept.document = "{\"parts\":[\"ü\"]}"
    try await store.put(kept)
    #expect(try await store.recording("a") == kept)
    #expect(try await store.recording("A") == nil)
  }

  @Test(arguments: Kind.allCases)
  func `what is put again replaces what was there`(kind: Kind) async throws {
    let store = try kind.recordings(folder)
    var kept = recording("a")
    kept.ended = 9
    try await store.put(kept)
    kept.ended = nil
    kept.state = .completed
    kept.document = "[]"
    try await store.put(kept)
    #expect(try await store.recording("a") == kept)
    #expect(try await store.recordings(ofWedding: "w") == [kept])
  }

  @Test(arguments: Kind.allCases)
  func `they come oldest first, of a wedding or in some states`(kind: Kind) async throws {
    let store = try kind.recordings(folder)
    try await store.put(recording("b", started: 2, state: .processing))
    try await store.put(recording("c", started: 3, state: .failed))
    try await store.put(recording("a", started: 2))
    try await store.put(recording("x", "other", started: 1, state: .processing))
    #expect(try await store.recordings(ofWedding: "w").map(\.id) == ["a", "b", "c"])
    #expect(try await store.recordings(ofWedding: "W").isEmpty)
    #expect(try await store.recordings(in: [.processing]).map(\.id) == ["x", "b"])
    #expect(try await store.recordings(in: [.recording, .failed]).map(\.id) == ["a", "c"])
    #expect(try await store.recordings(in: []).isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `what is removed is gone`(kind: Kind) async throws {
    let store = try kind.recordings(folder)
    try await store.put(recording("a"))
    try await store.remove("a")
    try await store.remove("nobody's")
    #expect(try await store.recording("a") == nil)
  }
}

@Suite struct `Jobs, in every store` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test(arguments: Kind.allCases)
  func `a job is kept whole, and replaced`(kind: Kind) async throws {
    let store = try kind.jobs(folder)
    var job = JobRecord(
      id: "a", step: "upload", attempts: 3, due: 7, checkpoint: "{\"part\":2}",
      failure: "no route to the storage")
    try await store.put(job)
    #expect(try await store.job("a") == job)
    job.step = "confirm"
    job.failure = nil
    try await store.put(job)
    #expect(try await store.job("a") == job)
    #expect(try await store.job("b") == nil)
  }

  @Test(arguments: Kind.allCases)
  func `those that are due first come first`(kind: Kind) async throws {
    let store = try kind.jobs(folder)
    for (id, due) in [("late", Int64(9)), ("b", 1), ("a", 1)] {
      try await store.put(JobRecord(id: id, step: "remux", due: due))
    }
    #expect(try await store.jobs().map(\.id) == ["a", "b", "late"])
    try await store.remove("a")
    try await store.remove("nobody's")
    #expect(try await store.jobs().map(\.id) == ["b", "late"])
  }
}

@Suite struct `Recordings on disk` {
  @Test func `a reopened file has them, and their jobs`() async throws {
    let folder = try Folder()
    let recording = RecordingRecord(
      id: "r", stream: .init(wedding: "w", camera: "2"), quality: "720p", state: .processing,
      started: 4, ended: 5, bytes: 6, document: "{}")
    let job = JobRecord(id: "r", step: "upload", attempts: 1, due: 2, checkpoint: "{}")
    let file = try RecordFile(path: folder.file("a.sqlite"))
    try await SQLiteRecordings(file).put(recording)
    try await SQLiteJobs(file).put(job)
    let again = try RecordFile(path: folder.file("a.sqlite"))
    #expect(try await SQLiteRecordings(again).recording("r") == recording)
    #expect(try await SQLiteJobs(again).jobs() == [job])
  }
}

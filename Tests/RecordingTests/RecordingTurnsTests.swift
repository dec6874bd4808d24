import Media
import Store
import Synchronization
import Testing

@testable import Recording
@testable import Transcode

@Suite struct `Wishes that meet` {
  let folder: Folder
  let key: StreamKey
  let store = PausingRecordings()

  init() throws {
    folder = try Folder()
    key = try #require(StreamKey(wedding: "w"))
  }

  /// A world with one recording that no movie could be made of.
  private func failed() async throws -> (World, String) {
    let world = World(folder: folder, store: store)
    world.remuxer.state.withLock { $0.failures = [RemuxError(.noMedia, "nothing in it")] }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.failed))
    #expect(try await eventually { try await world.jobs.jobs().isEmpty })
    return (world, try #require(try await world.views().first?.record.id))
  }

  /// Waits until nothing is done with any recording, and says which there are.
  private func rest(_ world: World) async throws -> [RecordingView] {
    #expect(try await eventually { try await world.jobs.jobs().isEmpty })
    return try await world.views()
  }

  @Test func `a retry doesn't bring back what is deleted meanwhile`() async throws {
    let (world, id) = try await failed()
    store.pause(at: .processing)
    async let retried = world.service.retry(id)
    #expect(await eventually { store.isPausing })
    let deletion = Task { try await world.service.delete(id) }
    // Where it isn't kept waiting, it is done by then.
    _ = await eventually(within: .milliseconds(300)) { folder.names("").isEmpty }
    store.goOn()
    _ = try? await retried
    #expect(try await deletion.value == .deleted)
    #expect(try await rest(world).isEmpty)
    #expect(folder.names("").isEmpty)
    await world.stop()
  }

  @Test func `a deletion that has begun is not undone by a retry`() async throws {
    let (world, id) = try await failed()
    store.pause(at: .deleting)
    let deletion = Task { try await world.service.delete(id) }
    #expect(await eventually { store.isPausing })
    let retried = Task { try await world.service.retry(id) }
    _ = try await eventually(within: .milliseconds(300)) {
      try await !world.jobs.jobs().isEmpty
    }
    store.goOn()
    #expect(try await deletion.value == .deleted)
    _ = try? await retried.value
    #expect(world.remuxer.jobs.count == 1)
    #expect(try await rest(world).isEmpty)
    await world.stop()
  }

  @Test func `two deletions are one`() async throws {
    let (world, id) = try await failed()
    store.pause(at: .deleting)
    let first = Task { try await world.service.delete(id) }
    #expect(await eventually { store.isPausing })
    let second = Task { try await world.service.delete(id) }
    store.goOn()
    #expect(try await first.value == .deleted)
    // It came in time to wait for the first, or too late to find anything.
    let other = await second.result
    switch other {
    case .success(let outcome): #expect(outcome == .deleted)
    case .failure(let error): #expect(error as? RecordingError == .unknown)
    }
    #expect(try await rest(world).isEmpty)
    await world.stop()
  }
}

@Suite struct `Jobs after a kill` {
  let folder: Folder
  let key: StreamKey

  init() throws {
    folder = try Folder()
    key = try #require(StreamKey(wedding: "w"))
  }

  /// What a process leaves that has recorded four seconds and is killed.
  private func recorded() async throws -> (World, RecordingRecord) {
    let world = World(folder: folder) { $0.reconnectWindow = .seconds(3_600) }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(
      try await eventually { try await world.views().first?.document.parts.first?.ended != nil })
    let id = try #require(try await world.views().first?.record.id)
    world.kill()
    return (world, try #require(try await world.store.recording(id)))
  }

  @Test func `a recording that was over without a job gets one`() async throws {
    var (first, record) = try await recorded()
    record.state = .processing
    try await first.store.put(record)
    let second = World(folder: folder, store: first.store, jobs: first.jobs)
    try await second.start()
    #expect(
      try await eventually { try await first.store.recording(record.id)?.state == .completed })
    #expect(second.remuxer.jobs.count == 1)
    #expect(try await eventually { try await first.jobs.jobs().isEmpty })
    await second.stop()
  }

  @Test func `a recording that was to be deleted goes`() async throws {
    var (first, record) = try await recorded()
    record.state = .deleting
    try await first.store.put(record)
    let second = World(folder: folder, store: first.store, jobs: first.jobs)
    try await second.start()
    #expect(try await eventually { try await first.store.recording(record.id) == nil })
    #expect(await eventually { folder.names("").isEmpty })
    #expect(second.remuxer.jobs.isEmpty)
    await second.stop()
  }

  @Test func `a job that was kept before its record waits for the recording's end`() async throws {
    let (first, record) = try await recorded()
    try await first.jobs.put(JobRecord(id: record.id, step: "remux"))
    let second = World(folder: folder, store: first.store, jobs: first.jobs) {
      $0.reconnectWindow = .seconds(3_600)
    }
    try await second.start()
    #expect(await second.service.open(of: key) == [record.id])
    #expect(await second.service.waitingJobs.isEmpty)
    // Its publisher comes back: what is made has both parts.
    second.publish(key).end(.stopped)
    #expect(try await eventually { try await first.jobs.jobs().isEmpty })
    #expect(second.remuxer.jobs.map(\.parts.count) == [2])
    #expect(try await first.store.recording(record.id)?.state == .completed)
    await second.stop()
  }

  @Test func `a job doesn't wait out what it had to wait, and one without a record goes`()
    async throws
  {
    var (first, record) = try await recorded()
    record.state = .processing
    try await first.store.put(record)
    for id in [record.id, "rec_gone"] {
      try await first.jobs.put(
        JobRecord(id: id, step: "remux", attempts: 9, due: .max, failure: "no room"))
    }
    let second = World(folder: folder, store: first.store, jobs: first.jobs)
    try await second.start()
    #expect(try await eventually { try await first.jobs.jobs().isEmpty })
    #expect(try await first.store.recording(record.id)?.state == .completed)
    await second.stop()
  }
}

import Events
import Foundation
import Logging
import Media
import Storage
import Store
import Synchronization
import Telemetry
import Testing

@testable import Recording
@testable import Transcode

/// A service on a folder, with a storage and a remuxer that do what a test wants.
private final class World: Sendable {
  let folder: Folder
  let store = MemoryRecordings()
  let jobs = MemoryJobs()
  let storage: TestStorage?
  let remuxer = TestRemuxer()
  let events = EventBus()
  let service: RecordingService
  private let run = Mutex<Task<Void, Never>?>(nil)

  init(
    folder: Folder, storage: TestStorage? = nil, store: MemoryRecordings? = nil,
    jobs: MemoryJobs? = nil,
    _ change: (inout RecordingConfiguration) -> Void = { _ in }
  ) {
    self.folder = folder
    self.storage = storage
    var configuration = RecordingConfiguration()
    configuration.isAutomatic = true
    configuration.path = folder.path
    configuration.reserveBytes = 0
    configuration.reconnectWindow = .milliseconds(50)
    configuration.web = "https://node"
    change(&configuration)
    let remuxer = remuxer
    service = RecordingService(
      configuration,
      RecordingService.Parts(
        store: store ?? self.store, jobs: jobs ?? self.jobs, storage: storage,
        remux: { job, folder, progress throws(RemuxError) in
          try await remuxer.remux(job, folder, progress)
        }, events: events, metrics: RecordingMetrics(MetricRegistry()),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
  }

  func start() async throws {
    try await service.prepare()
    let service = service
    run.withLock { $0 = Task { await service.run() } }
  }

  /// As after SIGTERM.
  func stop() async {
    await service.shutDown()
    let task = run.withLock { $0 }
    await task?.value
  }

  /// As a kill, but for what the recorder has in memory.
  func kill() { run.withLock { $0?.cancel() } }

  /// Publishes some seconds and leaves.
  func publish(_ key: StreamKey, plan: String? = nil, pictures: Int = 100) -> RecordingIntake {
    let intake = service.desk.open(key, quality: "source", plan: plan)
    var stream = TestMessages()
    intake.append(TestMessages.headers + stream.next(pictures))
    return intake
  }

  func views() async throws -> [RecordingView] {
    try await service.recordings(ofWedding: "w")
  }

  func eventually(_ state: RecordingRecord.State, count: Int = 1) async throws -> Bool {
    try await RecordingTests.eventually {
      try await views().count { $0.record.state == state } == count
    }
  }

  /// The objects that the storage has, by the last part of their names.
  var stored: [String] { storage?.names.map { String($0.split(separator: "/")[2]) }.sorted() ?? [] }
}

/// Makes files as the worker does, without looking at the parts.
private final class TestRemuxer: Sendable {
  struct State {
    var jobs: [RemuxJob] = []
    var failures: [RemuxError] = []
    var isHeld = false
    var leftOut: [String] = []
  }

  let state = Mutex(State())
  var jobs: [RemuxJob] { state.withLock { $0.jobs } }

  func remux(
    _ job: RemuxJob, _ folder: String, _ progress: @Sendable (Double) -> Void
  ) async throws(RemuxError) -> RemuxResult {
    let failure = state.withLock { state in
      state.jobs.append(job)
      return state.failures.isEmpty ? nil : state.failures.removeFirst()
    }
    if let failure { throw failure }
    progress(0.5)
    while state.withLock({ $0.isHeld }) {
      if Task.isCancelled { throw RemuxError(.cancelled, "cancelled") }
      try? await Task.sleep(for: .milliseconds(5))
    }
    for (name, size) in [("recording.mp4", 900), ("hls.mp4", 1_000), ("thumbnail-1.jpg", 10)] {
      let isMade = FileManager.default.createFile(
        atPath: "\(folder)/\(name)", contents: Data(repeating: 7, count: size))
      guard isMade else { throw RemuxError(.folder, "\(folder) can't be written") }
    }
    return RemuxResult(
      durationSeconds: 4,
      movies: [
        .init(
          file: "recording.mp4", bytes: 900, durationSeconds: 4, video: nil, audio: nil,
          playback: .init(
            file: "hls.mp4", bytes: 1_000, headerBytes: 100,
            segments: [
              .init(offset: 100, bytes: 500, seconds: 2),
              .init(offset: 600, bytes: 400, seconds: 2),
            ]))
      ], thumbnails: [.init(file: "thumbnail-1.jpg", bytes: 10, at: 1, width: 1, height: 1)],
      leftOut: state.withLock { $0.leftOut })
  }
}

/// Keeps objects in memory; fails, forgets and damages them as a test wants.
private final class TestStorage: ObjectStorage {
  struct State {
    var objects: [String: [UInt8]] = [:]
    var puts: [String] = []
    var checkpoints: [String: UploadCheckpoint?] = [:]
    var failure: StorageError?
    var isHeld = false
    var forgets: Set<String> = []
    var abandoned: [String] = []
  }

  let kind = StorageKind.s3
  let state = Mutex(State())
  var names: [String] { state.withLock { Array($0.objects.keys) } }

  func put(
    _ path: String, as name: String, contentType: String, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .unreadable("\(path) is gone")
    }
    state.withLock {
      $0.puts.append(name)
      $0.checkpoints[name] = .some(checkpoint)
    }
    await note(
      UploadCheckpoint(
        kind: kind, name: name, location: "b", bytes: data.count, uploadID: "u", partBytes: 100))
    while state.withLock({ $0.isHeld }) {
      if Task.isCancelled { throw .cancelled }
      try? await Task.sleep(for: .milliseconds(5))
    }
    if Task.isCancelled { throw .cancelled }
    if let failure = state.withLock({ $0.failure }) { throw failure }
    state.withLock { $0.objects[name] = Array(data) }
    return StoredObject(
      kind: kind, name: name, location: "b", bytes: data.count, contentType: contentType,
      checksum: "", parts: [])
  }

  func confirm(_ object: StoredObject) async throws(StorageError) -> Bool {
    try state.withLock { state throws(StorageError) in
      if let failure = state.failure { throw failure }
      if state.forgets.remove(object.name) != nil { state.objects[object.name] = nil }
      return state.objects[object.name]?.count == object.bytes
    }
  }

  func read(_ object: StoredObject, range: Range<Int>) async throws(StorageError) -> [UInt8] {
    guard let bytes = state.withLock({ $0.objects[object.name] }) else { throw .notFound("gone") }
    return Array(bytes[range])
  }

  func delete(_ object: StoredObject) async throws(StorageError) {
    try state.withLock { state throws(StorageError) in
      if let failure = state.failure { throw failure }
      state.objects[object.name] = nil
    }
  }

  func abandon(_ checkpoint: UploadCheckpoint) async throws(StorageError) {
    state.withLock { $0.abandoned.append(checkpoint.name) }
  }

  func address(_ object: StoredObject) -> String? { "https://cdn/\(object.name)" }
}

@Suite struct `Recording service` {
  let folder: Folder
  let key: StreamKey

  init() throws {
    folder = try Folder()
    key = try #require(StreamKey(wedding: "w"))
  }

  @Test func `a stream becomes files in the storage, and nothing stays here`() async throws {
    let storage = TestStorage()
    let world = World(folder: folder, storage: storage)
    var events = world.events.subscribe().makeAsyncIterator()
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.completed))
    let view = try #require(try await world.views().first)
    let files = ["hls.mp4", "index.m3u8", "recording.mp4", "thumbnail-1.jpg"]
    #expect(world.stored == files)
    #expect(await eventually { folder.names("").isEmpty })
    #expect(view.address == "https://cdn/w/\(view.record.id)/recording.mp4")
    #expect(view.playback == "https://node/hls/w/recordings/\(view.record.id)/index.m3u8")
    #expect(view.document.milliseconds == 4_000)
    #expect(try await eventually { try await world.jobs.jobs().isEmpty })
    #expect(await events.next()?.kind == .recordingStarted)
    let completed = try #require(await events.next())
    #expect(completed.kind == .recordingCompleted)
    #expect(completed.data["recording_id"] == .text(view.record.id))
    #expect(completed.data["duration"] == 4)
    #expect(completed.data["file_size"] == 900)
    #expect(completed.data["cdn_url"] == .text(view.address))
    await world.stop()
  }

  @Test func `a publisher that comes back goes on in the same recording`() async throws {
    let world = World(folder: folder) { $0.reconnectWindow = .seconds(3_600) }
    try await world.start()
    world.publish(key).end(.publisherLeft("lost"))
    let again = world.publish(key)
    #expect(try await eventually { try await world.views().first?.document.parts.count == 2 })
    again.end(.stopped)
    #expect(try await world.eventually(.completed))
    let job = try #require(world.remuxer.jobs.first)
    #expect(job.parts.count == 2)
    #expect(job.parts.allSatisfy { !$0.continues })
    // Without a storage what was received stays where it is.
    let id = try #require(try await world.views().first?.record.id)
    #expect(folder.names(id).count { $0.hasSuffix(".flv") } == 2)
    await world.stop()
  }

  @Test func `a storage that is away is asked until it is back, and nothing is deleted`()
    async throws
  {
    let storage = TestStorage()
    storage.state.withLock { $0.failure = .unreachable("no route") }
    let world = World(folder: folder, storage: storage)
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await eventually { try await world.views().first?.failure == "no route" })
    let view = try #require(try await world.views().first)
    #expect(view.record.state == .processing)
    #expect(view.step == "upload")
    #expect(folder.names(view.record.id).contains("recording.mp4"))
    #expect(folder.names(view.record.id).contains { $0.hasSuffix(".flv") })
    storage.state.withLock { $0.failure = nil }
    #expect(try await world.eventually(.completed))
    await world.stop()
  }

  @Test func `what the storage can't confirm is sent again before anything is deleted`()
    async throws
  {
    let storage = TestStorage()
    let world = World(folder: folder, storage: storage)
    storage.state.withLock { $0.isHeld = true }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await eventually { try await world.views().first?.step == "upload" })
    let id = try #require(try await world.views().first?.record.id)
    storage.state.withLock { state in
      state.forgets = ["w/\(id)/recording.mp4"]
      state.isHeld = false
    }
    #expect(try await world.eventually(.completed))
    let puts = storage.state.withLock { $0.puts }
    #expect(puts.count { $0.hasSuffix("recording.mp4") } == 2)
    #expect(puts.count { $0.hasSuffix("hls.mp4") } == 1)
    #expect(world.stored.contains("recording.mp4"))
    await world.stop()
  }

  @Test func `what no movie has is kept as it was received`() async throws {
    let world = World(folder: folder, storage: TestStorage())
    world.remuxer.state.withLock { $0.leftOut = ["3 pictures of an unknown codec"] }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.completed))
    #expect(world.stored.count { $0.hasSuffix(".flv") } == 1)
    #expect(await eventually { folder.names("").isEmpty })
    await world.stop()
  }

  @Test func `a process that ends anywhere goes on where it was`() async throws {
    let storage = TestStorage()
    storage.state.withLock { $0.isHeld = true }
    let first = World(folder: folder, storage: storage)
    try await first.start()
    first.publish(key).end(.publisherLeft("closed"))
    #expect(await eventually { storage.state.withLock { $0.puts.count } == 1 })
    first.kill()
    storage.state.withLock { $0.isHeld = false }
    let second = World(
      folder: folder, storage: storage, store: first.store, jobs: first.jobs)
    try await second.start()
    #expect(
      try await eventually { try await first.store.recordings(in: [.completed]).count == 1 })
    // It is not made anew, and the upload that was under way is taken up.
    #expect(second.remuxer.jobs.isEmpty)
    let name = try #require(storage.state.withLock { $0.puts.first })
    let checkpoint = try #require(storage.state.withLock { $0.checkpoints[name] })
    #expect(checkpoint?.uploadID == "u")
    await second.stop()
  }

  @Test func `what was being recorded goes on after a stop`() async throws {
    let first = World(folder: folder) { $0.reconnectWindow = .seconds(3_600) }
    try await first.start()
    let intake = first.publish(key)
    #expect(try await eventually { try await first.views().first?.document.partBytes ?? 0 > 0 })
    intake.end(.publisherLeft("the node is stopped"))
    await first.stop()
    let second = World(folder: folder, store: first.store, jobs: first.jobs) {
      $0.reconnectWindow = .seconds(3_600)
    }
    try await second.start()
    second.publish(key).end(.stopped)
    #expect(
      try await eventually { try await first.store.recordings(in: [.completed]).count == 1 })
    #expect(second.remuxer.jobs.first?.parts.count == 2)
    await second.stop()
  }

  @Test func `recordings whose records are lost are taken in`() async throws {
    let first = World(folder: folder) { $0.reconnectWindow = .seconds(3_600) }
    try await first.start()
    let intake = first.publish(key, plan: "free")
    #expect(try await eventually { try await first.views().first?.document.partBytes ?? 0 > 0 })
    let id = try #require(try await first.views().first?.record.id)
    intake.end(.publisherLeft("the node is stopped"))
    await first.stop()
    let second = World(folder: folder)
    try await second.start()
    #expect(try await second.eventually(.completed))
    let view = try #require(try await second.views().first)
    #expect(view.record.id == id)
    #expect(view.document.plan == "free")
    await second.stop()
  }

  @Test func `nothing received is a failure that says so`() async throws {
    let world = World(folder: folder)
    try await world.start()
    world.service.desk.open(key, quality: "source", plan: nil).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.failed))
    #expect(world.remuxer.jobs.isEmpty)
    await world.stop()
  }

  @Test func `a worker that fails is tried again, and then a person decides`() async throws {
    let world = World(folder: folder)
    world.remuxer.state.withLock {
      $0.failures = [RemuxError(.noMedia, "there is neither sound nor picture in it")]
    }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.failed))
    let view = try #require(try await world.views().first)
    #expect(view.document.code == "no_media")
    #expect(folder.names(view.record.id).contains { $0.hasSuffix(".flv") })
    _ = try await world.service.retry(view.record.id)
    #expect(try await world.eventually(.completed))
    await world.stop()
  }

  // MARK: Deletion

  @Test func `what is recorded can't be deleted, what is stopped can`() async throws {
    let world = World(folder: folder)
    try await world.start()
    let intake = world.publish(key)
    #expect(try await world.eventually(.recording))
    let id = try #require(try await world.views().first?.record.id)
    await #expect(throws: RecordingError.isRecording) { try await world.service.delete(id) }
    #expect(try await world.service.stop(key) == [id])
    #expect(!intake.isWanted)
    #expect(!world.service.desk.wants(key))
    #expect(try await world.eventually(.completed))
    #expect(try await world.service.delete(id) == .deleted)
    #expect(try await world.views().isEmpty)
    #expect(folder.names("").isEmpty)
    await #expect(throws: RecordingError.unknown) { try await world.service.delete(id) }
    await #expect(throws: RecordingError.notRecording) { try await world.service.stop(key) }
    await world.stop()
  }

  @Test func `deleting ends a remux`() async throws {
    let world = World(folder: folder)
    world.remuxer.state.withLock { $0.isHeld = true }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(await eventually { world.remuxer.jobs.count == 1 })
    let id = try #require(try await world.views().first?.record.id)
    #expect(try await eventually { try await world.views().first?.progress == 0.5 })
    #expect(try await world.service.delete(id) == .deleted)
    #expect(folder.names("").isEmpty)
    #expect(try await world.jobs.jobs().isEmpty)
    await world.stop()
  }

  @Test func `deleting ends an upload, here and there`() async throws {
    let storage = TestStorage()
    let world = World(folder: folder, storage: storage)
    try await world.start()
    storage.state.withLock { $0.isHeld = true }
    world.publish(key).end(.publisherLeft("closed"))
    #expect(await eventually { storage.state.withLock { $0.puts.count } == 1 })
    let id = try #require(try await world.views().first?.record.id)
    #expect(try await world.service.delete(id) == .deleted)
    #expect(storage.state.withLock { $0.abandoned } == ["w/\(id)/recording.mp4"])
    #expect(storage.names.isEmpty)
    #expect(folder.names("").isEmpty)
    await world.stop()
  }

  @Test func `a storage that is away deletes later`() async throws {
    let storage = TestStorage()
    let world = World(folder: folder, storage: storage)
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.completed))
    let id = try #require(try await world.views().first?.record.id)
    #expect(try await eventually { try await world.jobs.jobs().isEmpty })
    storage.state.withLock { $0.failure = .unreachable("no route") }
    #expect(try await world.service.delete(id) == .underWay("no route"))
    #expect(world.service.shelf.entry(id) == nil)
    #expect(try await world.views().first?.record.state == .deleting)
    storage.state.withLock { $0.failure = nil }
    #expect(try await eventually { try await world.views().isEmpty })
    #expect(storage.names.isEmpty)
    await world.stop()
  }

  @Test func `a disk that is away at the start loses nothing`() async throws {
    let first = World(folder: folder) { $0.reconnectWindow = .seconds(60) }
    try await first.start()
    first.publish(key).end(.publisherLeft("closed"))
    #expect(
      try await eventually { try await first.views().first?.document.parts.first?.ended != nil })
    let id = try #require(try await first.views().first?.record.id)
    first.kill()
    let away = folder.file("away")
    try FileManager.default.moveItem(atPath: folder.file(id), toPath: away)
    let second = World(folder: folder, store: first.store, jobs: first.jobs) {
      $0.isAutomatic = false
    }
    try await second.start()
    #expect(await eventually { !second.service.desk.wants(key) })
    #expect(try await second.views().map(\.record.state) == [.recording])
    #expect(try await second.views().first?.document.parts.count == 1)
    await second.stop()
    try FileManager.default.moveItem(atPath: away, toPath: folder.file(id))
    let third = World(folder: folder, store: first.store, jobs: first.jobs)
    try await third.start()
    #expect(try await third.eventually(.completed))
    #expect(try await third.views().first?.document.milliseconds == 4_000)
    await third.stop()
  }

  // MARK: Retention

  @Test func `old recordings go, but not while they are watched`() async throws {
    let world = World(folder: folder, storage: TestStorage()) { $0.keep = .milliseconds(1) }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.completed))
    let id = try #require(try await world.views().first?.record.id)
    #expect(try await eventually { try await world.jobs.jobs().isEmpty })
    _ = world.service.shelf.entry(id)
    await world.service.expireRecordings()
    #expect(try await world.views().count == 1)
    world.service.shelf.remove(id)
    await world.service.expireRecordings()
    #expect(try await world.views().isEmpty)
    #expect(world.stored.isEmpty)
    await world.stop()
  }

  @Test func `one that failed is the only copy there is, and stays`() async throws {
    let world = World(folder: folder, storage: TestStorage()) { $0.keep = .milliseconds(1) }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.completed))
    var record = try #require(try await world.views().first?.record)
    record.state = .failed
    try await world.store.put(record)
    world.service.shelf.remove(record.id)
    await world.service.expireRecordings()
    #expect(try await world.views().map(\.record.state) == [.failed])
    await world.stop()
  }

  @Test func `the oldest make room for the newest within a plan's quota`() async throws {
    let world = World(folder: folder) { $0.quotas = ["free": 5_000] }
    try await world.start()
    for count in 1...2 {
      world.publish(key, plan: "free", pictures: 10).end(.stopped)
      #expect(try await world.eventually(.completed, count: count))
    }
    world.publish(key, plan: "free", pictures: 10).end(.stopped)
    // Each takes 2 kB in the end, so that the third one has no room beside the other two.
    #expect(
      try await eventually {
        let views = try await world.views()
        return views.count == 2 && views.allSatisfy { $0.record.state == .completed }
      })
    await world.stop()
  }

  @Test func `one alone ends at its plan's quota`() async throws {
    let world = World(folder: folder) { $0.quotas = ["free": 5_000] }
    try await world.start()
    let intake = world.publish(key, plan: "free", pictures: 1_000)
    #expect(try await world.eventually(.completed))
    #expect(!intake.isWanted)
    #expect(try await world.views().first?.document.code == "quota")
    #expect(try #require(try await world.views().first?.document.partBytes) < 6_000)
    await world.stop()
  }
}

@Suite struct `Recording playlists` {
  @Test func `lists byte ranges, and carries a token on`() throws {
    let text = try #require(
      RecordingPlaylist.text([
        .init(
          file: "recording.mp4", bytes: 0, durationSeconds: 4.5, video: nil, audio: nil,
          playback: .init(
            file: "hls.mp4", bytes: 600, headerBytes: 100,
            segments: [.init(offset: 100, bytes: 500, seconds: 4.4996)])),
        .init(
          file: "recording-2.mp4", bytes: 0, durationSeconds: 2, video: nil, audio: nil,
          playback: .init(
            file: "hls-2.mp4", bytes: 60, headerBytes: 10,
            segments: [.init(offset: 10, bytes: 50, seconds: 2)])),
      ]))
    #expect(
      text == """
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:5
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MAP:URI="hls.mp4",BYTERANGE="100@0"
        #EXTINF:4.500,
        #EXT-X-BYTERANGE:500@100
        hls.mp4
        #EXT-X-DISCONTINUITY
        #EXT-X-MAP:URI="hls-2.mp4",BYTERANGE="10@0"
        #EXTINF:2.000,
        #EXT-X-BYTERANGE:50@10
        hls-2.mp4
        #EXT-X-ENDLIST

        """)
    let own = RecordingPlaylist.text(text, withQuery: "token=a.b")
    #expect(own.contains("URI=\"hls.mp4?token=a.b\",BYTERANGE"))
    #expect(own.contains("\nhls-2.mp4?token=a.b\n"))
    #expect(own.hasSuffix("#EXT-X-ENDLIST\n"))
    #expect(RecordingPlaylist.text([]) == nil)
    #expect(
      RecordingPlaylist.pictures("sprite.jpg#xywh=0,0,1,1\n", withQuery: "t=1")
        == "sprite.jpg?t=1#xywh=0,0,1,1\n")
  }
}

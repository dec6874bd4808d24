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

@Suite struct `Recordings that go` {
  let folder: Folder
  let key: StreamKey

  init() throws {
    folder = try Folder()
    key = try #require(StreamKey(wedding: "w"))
  }

  @Test func `what is recorded can't be deleted, what is stopped can`() async throws {
    let world = World(folder: folder)
    try await world.start()
    let intake = world.publish(key)
    #expect(try await world.eventually(.recording))
    let id = try #require(try await world.views().first?.record.id)
    await #expect(throws: RecordingError.isRecording) { try await world.service.delete(id) }
    #expect(try await world.service.stop(key) == [id])
    #expect(!intake.isWanted)
    #expect(!world.service.desk.wants(key, "source"))
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

  @Test func `old recordings go, but not while they are watched`() async throws {
    let world = World(folder: folder, storage: TestStorage()) { $0.keep = .milliseconds(1) }
    try await world.start()
    world.publish(key).end(.publisherLeft("closed"))
    #expect(try await world.eventually(.completed))
    let id = try #require(try await world.views().first?.record.id)
    #expect(try await eventually { try await world.jobs.jobs().isEmpty })
    world.service.shelf.noteViewer(of: id)
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

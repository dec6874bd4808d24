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

@Suite struct `Recording service` {
  let folder: Folder
  let key: StreamKey

  init() throws {
    folder = try Folder()
    key = try #require(StreamKey(wedding: "w"))
  }

  @Test func `what begins while the one before still ends is a recording of its own`() async throws
  {
    let world = World(folder: folder)
    try await world.start()
    var intake = world.publish(key)
    #expect(try await world.eventually(.recording))
    for number in 1...20 {
      let stopped = try await world.service.stop(key)
      #expect(stopped.count == 1)
      // Its file is still being closed.
      world.service.desk.wish(key, isRecorded: true)
      intake = world.publish(key)
      let hasBegun = try await eventually {
        let views = try await world.views()
        return views.count == number + 1
          && views.filter { stopped.contains($0.record.id) }.allSatisfy {
            $0.record.state != .recording
          }
      }
      #expect(hasBegun, "the stop of number \(number) was taken back")
      guard hasBegun else { break }
    }
    intake.end(.stopped)
    await world.stop()
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

  @Test(arguments: [true, false])
  func `one that ends before a keyframe has come says why there is nothing`(
    isStopped: Bool
  ) async throws {
    let world = World(folder: folder)
    var events = world.events.subscribe().makeAsyncIterator()
    try await world.start()
    let intake = world.publish(key, pictures: 0)
    #expect(await events.next()?.kind == .recordingStarted)
    if isStopped {
      #expect(try await world.service.stop(key).count == 1)
    } else {
      intake.end(.publisherLeft("closed"))
    }
    #expect(try await world.eventually(.failed))
    let view = try #require(try await world.views().first)
    let reason = try #require(view.document.reason)
    #expect(view.document.code == "no_media")
    #expect(reason.contains(isStopped ? "stopped before" : "ended before"))
    let failed = try #require(await events.next())
    #expect(failed.kind == .recordingFailed)
    #expect(failed.data["reason"] == .text(reason) && failed.data["code"] == "no_media")
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

  @Test func `what another process records is its own until that has ended`() async throws {
    let first = World(folder: folder) { $0.reconnectWindow = .seconds(3_600) }
    try await first.start()
    let intake = first.publish(key)
    #expect(try await eventually { try await first.views().first?.document.partBytes ?? 0 > 0 })
    let id = try #require(try await first.views().first?.record.id)
    let second = World(folder: folder, store: first.store, jobs: first.jobs)
    try await second.start(besidesAnother: true)
    // Its own recordings begin, end and are made movies of meanwhile.
    let other = try #require(StreamKey(wedding: "w", camera: "other"))
    second.publish(other).end(.publisherLeft("closed"))
    #expect(
      try await eventually { try await first.store.recordings(in: [.completed]).count == 1 })
    #expect(second.remuxer.jobs.count == 1)
    #expect(try await first.store.recordings(in: [.recording]).map(\.id) == [id])
    #expect(await second.service.open.isEmpty)
    // The first one ends as a node does that stops, and what it has left goes on here.
    intake.end(.publisherLeft("the node is stopped"))
    await first.stop()
    await second.service.takeUp()
    #expect(
      try await eventually { try await first.store.recordings(in: [.completed]).count == 2 })
    #expect(second.remuxer.jobs.count == 2)
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
    #expect(await eventually { !second.service.desk.wants(key, "source") })
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
}

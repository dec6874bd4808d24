import Events
import Media
import Store
import Synchronization
import Telemetry
import Testing

@testable import Recording
@testable import Transcode

@Suite struct `Quotas while something is recorded` {
  let folder: Folder
  let main: StreamKey
  let other: StreamKey

  init() throws {
    folder = try Folder()
    main = try #require(StreamKey(wedding: "w"))
    other = try #require(StreamKey(wedding: "w", camera: "2"))
  }

  private func bytes(_ world: World) async throws -> Int {
    try await world.views().reduce(0) { $0 + $1.document.partBytes }
  }

  @Test func `all recordings of a wedding share one`() async throws {
    let world = World(folder: folder) { $0.quotas = ["free": 20_000] }
    var events = world.events.subscribe().makeAsyncIterator()
    try await world.start()
    world.remuxer.state.withLock { $0.isHeld = true }
    let first = world.publish(main, plan: "free", pictures: 60)
    #expect(try await eventually { try await bytes(world) > 6_000 })
    // What is on the disk of the first counts, though its record doesn't have it yet.
    let second = world.publish(other, plan: "free", pictures: 1_000)
    #expect(await eventually { !second.isWanted })
    #expect(try await bytes(world) < 21_000)
    // The first has no room left, either: its next message ends it.
    var stream = TestMessages()
    stream.time = 10_000
    first.append(stream.next(1))
    #expect(await eventually { !first.isWanted })
    #expect(try await bytes(world) < 21_000)
    #expect(
      try await eventually {
        let views = try await world.views()
        return views.count == 2 && views.allSatisfy { $0.document.code == "quota" }
      })
    var faults = 0
    while faults < 2, let event = await events.next() {
      if event.data["code"] == "recording_quota" { faults += 1 }
    }
    let metrics = String(decoding: world.registry.text(), as: UTF8.self)
    #expect(metrics.contains("wedlive_recording_parts_total{end=\"quota\"} 2"))
    world.remuxer.state.withLock { $0.isHeld = false }
    #expect(try await world.eventually(.completed, count: 2))
    await world.stop()
  }

  @Test func `what is completed meanwhile makes room`() async throws {
    let world = World(folder: folder) { $0.quotas = ["free": 20_000] }
    var events = world.events.subscribe().makeAsyncIterator()
    try await world.start()
    let long = world.publish(main, plan: "free", pictures: 10)
    world.publish(other, plan: "free", pictures: 100).end(.stopped)
    while let event = await events.next(), event.kind != .recordingCompleted {}
    var stream = TestMessages()
    stream.time = 10_000
    long.append(stream.next(100))
    #expect(
      try await eventually {
        try await world.views().contains {
          $0.record.state == .recording && $0.document.partBytes > 13_000
        }
      })
    #expect(long.isWanted)
    long.end(.stopped)
    #expect(try await world.eventually(.completed, count: 2))
    await world.stop()
  }

  @Test func `one of another wedding has its own, and what has no limit is counted all the same`()
    async throws
  {
    let world = World(folder: folder) { $0.quotas = ["free": 20_000, "premium": 0] }
    try await world.start()
    world.remuxer.state.withLock { $0.isHeld = true }
    let elsewhere = try #require(StreamKey(wedding: "x"))
    let unlimited = world.publish(main, plan: "premium", pictures: 200)
    let separate = world.publish(elsewhere, plan: "free", pictures: 100)
    #expect(try await eventually { try await bytes(world) > 20_000 })
    let limited = world.publish(other, plan: "free", pictures: 10)
    #expect(await eventually { !limited.isWanted })
    #expect(unlimited.isWanted)
    #expect(separate.isWanted)
    for intake in [unlimited, separate] { intake.end(.stopped) }
    world.remuxer.state.withLock { $0.isHeld = false }
    await world.stop()
  }

  @Test func `records that can't be read leave what is known`() async throws {
    let store = FailingRecordings()
    let world = World(folder: folder, store: store) { $0.quotas = ["free": 10_000] }
    try await world.start()
    let first = world.publish(main, plan: "free", pictures: 50)
    #expect(
      try await eventually { try await store.kept.recordings(ofWedding: "w").count == 1 })
    store.fail(true)
    let second = world.publish(other, plan: "free", pictures: 1_000)
    #expect(await eventually { !second.isWanted })
    #expect(folder.flvBytes < 11_000)
    store.fail(false)
    first.end(.stopped)
    #expect(try await world.eventually(.completed, count: 2))
    await world.stop()
  }
}

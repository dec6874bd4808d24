import Foundation
import Media
import Store
import Synchronization
import Testing

@testable import Recording
@testable import Transcode

@Suite struct `Parts in their order` {
  /// When the first publisher came, and one after it whose machine's clock was set back by an hour.
  private static let times: [Int64] = [1_790_000_000_000, 1_790_000_000_000 - 3_600_000]

  let folder: Folder
  let key: StreamKey

  init() throws {
    folder = try Folder()
    key = try #require(StreamKey(wedding: "w"))
  }

  private func world(_ first: World? = nil, waits: Bool = false) -> World {
    World(folder: folder, store: first?.store, jobs: first?.jobs) {
      if waits { $0.reconnectWindow = .seconds(3_600) }
    }
  }

  /// What a process leaves that is killed after a second part whose name sorts before the first's.
  private func recorded() async throws -> World {
    let world = world(waits: true)
    try await world.start()
    for (index, time) in Self.times.enumerated() {
      world.publish(key, at: time).end(.publisherLeft("closed"))
      #expect(
        try await eventually {
          try await world.views().first?.document.parts.count { $0.ended != nil } == index + 1
        })
    }
    world.kill()
    return world
  }

  private func started(_ world: World) async throws -> [Int64] {
    try await world.views().first?.document.parts.map(\.started) ?? []
  }

  @Test func `a clock that is set back doesn't turn them round`() async throws {
    let first = try await recorded()
    let known = try #require(try await first.views().first?.document.parts)
    #expect(known.map(\.started) == Self.times)
    #expect(known[1].file < known[0].file)
    let second = world(first)
    try await second.start()
    #expect(
      try await eventually { try await first.store.recordings(in: [.completed]).count == 1 })
    let job = try #require(second.remuxer.jobs.first)
    #expect(job.parts.map(\.startedAt) == Self.times.map { Double($0) / 1_000 })
    await second.stop()
  }

  @Test func `also where no record knows them`() async throws {
    _ = try await recorded()
    let second = world()
    try await second.start()
    #expect(try await second.eventually(.completed))
    #expect(try await started(second) == Self.times)
    let job = try #require(second.remuxer.jobs.first)
    #expect(job.parts.map(\.startedAt) == Self.times.map { Double($0) / 1_000 })
    await second.stop()
  }

  @Test func `one that the record doesn't know yet comes after the others`() async throws {
    let first = try await recorded()
    // As it was before the second part's beginning was kept.
    var record = try #require(try await first.store.recordings(in: [.recording]).first)
    var document = RecordingDocument(json: record.document)
    document.parts.removeLast()
    record.document = document.json
    try await first.store.put(record)
    let second = world(first)
    try await second.start()
    #expect(
      try await eventually { try await first.store.recordings(in: [.completed]).count == 1 })
    let job = try #require(second.remuxer.jobs.first)
    #expect(job.parts.map(\.startedAt) == Self.times.map { Double($0) / 1_000 })
    await second.stop()
  }

  @Test func `what a publisher has sent comes before what the next one sends, however late it is`()
    async throws
  {
    let world = World(folder: folder) {
      $0.reconnectWindow = .seconds(3_600)
      $0.maximumBytes = 8_000
    }
    try await world.start()
    let early = world.publish(key, at: Self.times[0])
    #expect(try await eventually { try await started(world).count > 1 })
    let late = world.publish(key, at: Self.times[0] + 60_000)
    #expect(
      try await eventually {
        try await started(world).contains(Self.times[0] + 60_000)
      })
    // The disk had the end of the first one's queue to write still.
    var stream = TestMessages()
    stream.time = 4_000
    early.append(stream.next(200), at: Self.times[0] + 4_000)
    early.end(.publisherLeft("closed"))
    late.end(.publisherLeft("closed"))
    #expect(
      try await eventually {
        try await world.views().first?.isWriting == false
      })
    let all = try await started(world)
    #expect(all.contains(Self.times[0] + 4_000))
    #expect(all == all.sorted())
    world.kill()
    let second = self.world()
    try await second.start()
    #expect(try await second.eventually(.completed))
    #expect(try await started(second) == all)
    await second.stop()
  }

  @Test func `one that nothing says about begins when its file was written`() async throws {
    let first = try await recorded()
    let id = try #require(try await first.views().first?.record.id)
    // A folder of an older version.
    for name in folder.names(id) where name != "recording.json" && !name.hasSuffix(".flv") {
      try FileManager.default.removeItem(atPath: folder.file("\(id)/\(name)"))
    }
    let files = folder.names(id).filter { $0.hasSuffix(".flv") }
    for (index, file) in files.enumerated() {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000 + Double(index) * 60)],
        ofItemAtPath: folder.file("\(id)/\(file)"))
    }
    let second = world()
    try await second.start()
    #expect(try await second.eventually(.completed))
    // Each holds just under four seconds.
    #expect(try await started(second) == [1_699_999_996_040, 1_700_000_056_040])
    await second.stop()
  }
}

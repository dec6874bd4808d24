import TestSupport
import Access
import ControlAPI
import Media
import Store
import Synchronization
import Testing

@testable import Origin

extension StreamKeys {
  fileprivate func bytes(_ id: String, ofWedding wedding: String) async throws -> [UInt8]? {
    try await key(id, ofWedding: wedding)?.bytes
  }
}

@Suite struct `Stream keys` {
  /// Takes nothing while it is broken.
  private actor BreakableStore: StreamKeyStore {
    let memory = MemoryStreamKeys()
    private var isBroken = false

    func set(isBroken: Bool) { self.isBroken = isBroken }
    private func check() throws(StoreError) { if isBroken { throw .full("no room") } }

    private var held: CheckedContinuation<Void, Never>?
    private var holds = false
    var isHolding: Bool { held != nil }
    func hold() { holds = true }
    func letGo() {
      holds = false
      held?.resume()
      held = nil
    }

    func add(_ key: StreamKeyRecord) async throws(StoreError) {
      try check()
      if holds { await withCheckedContinuation { held = $0 } }
      try await memory.add(key)
    }
    func key(_ id: String) async throws(StoreError) -> StreamKeyRecord? {
      try check()
      if holds { await withCheckedContinuation { held = $0 } }
      return try await memory.key(id)
    }
    func keys(ofWedding wedding: String) async throws(StoreError) -> [StreamKeyRecord] {
      try await memory.keys(ofWedding: wedding)
    }
    func retire(_ id: String, neededUntil time: Int64) async throws(StoreError) {
      try check()
      try await memory.retire(id, neededUntil: time)
    }
    func forgetKeys(now: Int64) async throws(StoreError) -> Int {
      try await memory.forgetKeys(now: now)
    }
  }

  private let store = BreakableStore()
  private let lines = Lines()
  private let secret = Array("a secret of thirty-two characters".utf8)
  private let strange = Array("another secret of the same length".utf8)

  private func service(at time: Int64 = 1_000, secret: [UInt8]? = nil) -> StreamKeys {
    StreamKeys(
      store: store, secret: secret ?? self.secret, longestUse: 60_000, logger: lines.logger,
      now: { time }, uptime: { time })
  }

  @Test func `a key is stored, sealed, before anybody may name it`() async throws {
    let service = service()
    let key = await service.make(for: .named("w", "c2"))
    let record = try #require(try await store.key(key.id))
    #expect(record.stream == .init(wedding: "w", camera: "c2"))
    #expect(record.created == 1_000)
    #expect(record.neededUntil == 61_000)
    #expect(record.sealed.count == 44)
    #expect(!record.sealed.starts(with: key.bytes))
    #expect(
      try await service.key(key.id, ofWedding: "w") == .init(camera: "c2", bytes: key.bytes))
  }

  @Test func `a store that never answers keeps no key from viewers, and has it later`()
    async throws
  {
    let service = StreamKeys(
      store: store, secret: secret, longestUse: 60_000, logger: lines.logger,
      patience: .milliseconds(20), now: { 1_000 })
    await store.hold()
    let key = await service.make(for: .named("w"))
    #expect(try await service.bytes(key.id, ofWedding: "w") == key.bytes)
    #expect(lines.all == ["error stream keys not kept"])
    await store.letGo()
    #expect(try await eventually { try await store.key(key.id) != nil })
    #expect(await eventually { lines.all.last == "notice stream keys kept again" })
  }

  @Test func `where the store never answers, nobody waits for long for a key`() async throws {
    let key = await service().make(for: .named("w", "c2"))
    let other = StreamKeys(
      store: store, secret: secret, longestUse: 60_000, logger: lines.logger,
      patience: .milliseconds(20), now: { 1_000 })
    await store.hold()
    #expect(try await other.key(key.id, ofWedding: "w") == .init(camera: "c2", bytes: key.bytes))
    for (id, wedding) in [("none", "w"), (key.id, "v")] {
      await #expect(throws: StoreError.stalled(.milliseconds(20))) {
        try await other.key(id, ofWedding: wedding)
      }
    }
    await store.letGo()
  }

  @Test func `what a dead process could not store is made again, by its name, for a day`()
    async throws
  {
    await store.set(isBroken: true)
    let key = await service(at: 1_000).make(for: .named("w", "c2"))
    #expect(
      try await service(at: 61_000).key(key.id, ofWedding: "w")
        == .init(camera: "c2", bytes: key.bytes))
    // Nobody uses one for so long.
    await #expect(throws: StoreError.full("no room")) {
      try await service(at: 61_001).key(key.id, ofWedding: "w")
    }
    await #expect(throws: StoreError.full("no room")) {
      try await service(secret: strange).key(key.id, ofWedding: "w")
    }
    await store.set(isBroken: false)
    #expect(try await store.key(key.id) == nil)
    let day = 1_000 + StreamKeys.margin
    #expect(try await service(at: day).bytes(key.id, ofWedding: "w") == key.bytes)
    #expect(try await service(at: day + 1).bytes(key.id, ofWedding: "w") == nil)
    #expect(try await service().bytes(key.id, ofWedding: "v") == nil)
    #expect(try await service(secret: strange).bytes(key.id, ofWedding: "w") == nil)
  }

  @Test func `another process gives it out too, to that wedding's viewers alone`() async throws {
    let key = await service().make(for: .named("w"))
    let other = service()
    #expect(try await other.bytes(key.id, ofWedding: "w") == key.bytes)
    #expect(try await other.bytes(key.id, ofWedding: "v") == nil)
    #expect(try await service().bytes("none", ofWedding: "w") == nil)
    let second = await service().make(for: .named("w", "c2"))
    #expect(try await other.key(second.id, ofWedding: "w")?.camera == "c2")
    let stranger = service(secret: strange)
    await #expect(throws: KeyWrap.Failure.self) {
      try await stranger.bytes(key.id, ofWedding: "w")
    }
  }

  @Test func `a key is had for as long as a segment needs it`() async throws {
    let service = service(at: 1_000)
    let key = await service.make(for: .named("w"))
    await service.retire(key.id, neededFor: 500)
    #expect(try await service.bytes(key.id, ofWedding: "w") == key.bytes)
    let later = self.service(at: 1_501)
    #expect(try await later.bytes(key.id, ofWedding: "w") == nil)
    await later.retire("none", neededFor: 0)
    #expect(try await store.key(key.id) != nil)
    await self.service(at: 1_501 + StreamKeys.margin).retire("none", neededFor: 0)
    #expect(try await store.key(key.id) == nil)
  }

  /// Two clocks that a test sets.
  private final class Clocks: Sendable {
    let wall = Atomic<Int64>(1_000)
    let uptime = Atomic<Int64>(7)
  }

  @Test func `a clock that is set takes no key from segments that are still listed`() async throws {
    let clocks = Clocks()
    let service = StreamKeys(
      store: store, secret: secret, longestUse: 60_000, logger: lines.logger,
      now: { clocks.wall.load(ordering: .relaxed) },
      uptime: { clocks.uptime.load(ordering: .relaxed) })
    let key = await service.make(for: .named("w"))
    await service.retire(key.id, neededFor: 500)
    for wall in [3_600_000, -3_600_000, 1_000] as [Int64] {
      clocks.wall.store(wall, ordering: .relaxed)
      await service.retire("none", neededFor: 0)
      #expect(try await service.bytes(key.id, ofWedding: "w") == key.bytes)
    }
    // Another node asks the store, and its clock is right again.
    #expect(try await self.service().bytes(key.id, ofWedding: "w") == key.bytes)
    clocks.uptime.store(508, ordering: .relaxed)
    await service.retire("none", neededFor: 0)
    #expect(await service.ids.isEmpty)
  }

  @Test func `what a process that was killed had in use is forgotten in the end`() async throws {
    let key = await service(at: 1_000).make(for: .named("w"))
    #expect(try await service(at: 61_000).bytes(key.id, ofWedding: "w") == key.bytes)
    let later = service(at: 61_001)
    #expect(try await later.bytes(key.id, ofWedding: "w") == nil)
    let next = await later.make(for: .named("w"))
    await service(at: 61_001 + StreamKeys.margin).retire(next.id, neededFor: 0)
    #expect(try await store.key(key.id) == nil)
  }

  @Test func `a key that is retired while it is being stored is forgotten in time`() async throws {
    let service = service()
    await store.hold()
    async let made = service.make(for: .named("w"))
    #expect(await eventually { await store.isHolding })
    let id = try #require(await service.ids.first)
    await service.retire(id, neededFor: 500)
    await store.letGo()
    #expect(await made.id == id)
    #expect(try await store.key(id)?.neededUntil == 1_500)
  }

  @Test func `many at once are all stored`() async throws {
    let service = service()
    let keys = await withTaskGroup(of: StreamKeyMaterial.self) { group in
      for _ in 0..<50 { group.addTask { await service.make(for: .named("w")) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    for key in keys { #expect(try await store.key(key.id) != nil) }
    #expect(lines.all.isEmpty)
  }

  @Test func `a store that is full stops no wedding, and gets the keys later`() async throws {
    let service = service()
    await store.set(isBroken: true)
    let first = await service.make(for: .named("w"))
    let second = await service.make(for: .named("w"))
    #expect(try await service.bytes(first.id, ofWedding: "w") == first.bytes)
    #expect(lines.all.count == 1)
    await store.set(isBroken: false)
    #expect(try await store.key(first.id) == nil)
    let third = await service.make(for: .named("w"))
    for key in [first, second, third] { #expect(try await store.key(key.id) != nil) }
    #expect(lines.all == ["error stream keys not kept", "notice stream keys kept again"])
    for line in lines.all { #expect(!line.contains(first.id)) }
  }
}

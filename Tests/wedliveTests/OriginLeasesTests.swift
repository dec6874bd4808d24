import BlockingSupport
import Cluster
import HLS
import Logging
import Media
import Redis
import RedisSupport
import Telemetry
import Testing
import Viewers

@testable import Origin
@testable import wedlive

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Leases of an origin's publishers` {
  private let redis: RedisServerProcess
  private let pass = PeerPass(secret: Array("the cluster's".utf8))

  init() throws { redis = try RedisServerProcess() }

  private func leasing(
    _ name: String, leavesBy leave: (Membership) async -> Void = { _ in }
  ) async throws -> StreamLeasing {
    let record = NodeRecord(
      id: try #require(NodeID(name)), role: .origin, region: "here",
      addresses: NodeAddresses(http: "127.0.0.1:8090", rtmp: "127.0.0.1:1935"), version: "0.1.0")
    let client = try RedisClient(redis.configuration())
    for await state in client.changes where state.isConnected { break }
    let node = try ClusterNode(
      record, redis: client, metrics: MetricRegistry(),
      logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() })
    await leave(node.membership)
    return OriginLeases(node, pass).leasing
  }

  /// Asks for a stream; whether it was granted.
  private func acquire(_ key: StreamKey, _ leasing: StreamLeasing) async -> Bool {
    let wish = StreamLeasing.Wish(key: key, priority: 0)
    if case .granted = await leasing.acquire(wish, {}) { return true }
    return false
  }

  @Test func `of several who come at once none gets a stream that another origin has`() async throws
  {
    let (one, two) = (try await leasing("one"), try await leasing("two"))
    for number in 1...10 {
      let key = try #require(StreamKey(wedding: "w\(number)"))
      #expect(await acquire(key, one))
      let granted = await withTaskGroup(of: Bool.self) { group in
        for _ in 1...4 { group.addTask { await acquire(key, two) } }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(granted == 0)
      #expect(two.epoch(key) == nil)
    }
  }

  @Test func `a lease comes behind one that edges know of, though Redis doesn't`() async throws {
    let one = try await leasing("one")
    let keys = try ["v", "w", "x"].map { try #require(StreamKey(wedding: $0, camera: "program")) }
    func epoch(_ key: StreamKey, known: Int64?) async -> Int64? {
      _ = await one.acquire(StreamLeasing.Wish(key: key, priority: 0, known: known), {})
      return one.epoch(key)
    }
    #expect(await epoch(keys[0], known: 5) == 6)
    redis.kill()
    #expect(await epoch(keys[1], known: 5) == 6)
    #expect(await epoch(keys[2], known: 0) == 1)
  }

  @Test func `one that is taken without Redis goes behind what edges say of it later`() async throws
  {
    let one = try await leasing("one")
    let keys = try ["v", "w"].map { try #require(StreamKey(wedding: $0, camera: "program")) }
    func epoch(_ key: StreamKey, after epoch: Int64, isAnothers: Bool) -> Int64? {
      one.pass(key, epoch, isAnothers)
      return one.epoch(key)
    }
    #expect(await acquire(keys[0], one))
    // Redis knows that this node has it.
    #expect(epoch(keys[0], after: 5, isAnothers: false) == 1)
    #expect(epoch(keys[0], after: 1, isAnothers: true) == 2)
    redis.kill()
    #expect(epoch(keys[1], after: 5, isAnothers: true) == nil)
    #expect(await acquire(keys[1], one))
    #expect(epoch(keys[1], after: 0, isAnothers: true) == 1)
    #expect(epoch(keys[1], after: 1, isAnothers: false) == 1)
    #expect(epoch(keys[1], after: 1, isAnothers: true) == 2)
    #expect(epoch(keys[1], after: 5, isAnothers: false) == 6)
  }

  @Test func `where Redis can't say where a stream is, a node that leaves takes it for elsewhere`()
    async throws
  {
    let one = try await leasing("one")
    let all = [
      one, try await leasing("two") { $0.update { $0.state = .draining } },
      try await leasing("three") { await $0.retire() },
    ]
    let key = try #require(StreamKey(wedding: "w"))
    let state = WindowState(nextSequence: 8)
    for leasing in all {
      // What it has itself is not.
      #expect(await acquire(key, leasing))
      #expect(await leasing.isElsewhere(key, state) == false)
      #expect(await leasing.release(key) { true })
      #expect(await leasing.isElsewhere(key, state) == false)
    }
    _ = try redis.ask("flushall")
    #expect(await one.isElsewhere(key, state) == nil)
    for leaving in all.dropFirst() { #expect(await leaving.isElsewhere(key, state) == true) }
    redis.kill()
    #expect(await one.isElsewhere(key, state) == nil)
    for leaving in all.dropFirst() { #expect(await leaving.isElsewhere(key, state) == true) }
  }

  @Test func `who comes while a lease is given up has one`() async throws {
    let leasing = try await leasing("one")
    let key = try #require(StreamKey(wedding: "w"))
    #expect(await acquire(key, leasing))
    for _ in 1...300 {
      async let isGone = leasing.release(key) { true }
      async let isGranted = acquire(key, leasing)
      #expect(await (isGone, isGranted) == (true, true))
      // It was given up after it was asked for, or it is there.
      guard leasing.epoch(key) != nil else {
        #expect(await acquire(key, leasing))
        continue
      }
      #expect(try redis.ask("hget", "wl:stream:{w}/main", "ended") == "0\n")
    }
  }
}

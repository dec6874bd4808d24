import BlockingSupport
import Foundation
import RedisSupport
import Logging
import Redis
import Store
import Synchronization
import Telemetry
import Testing

@testable import CDN

/// A CDN that does what a test says, and remembers.
private final class ScriptedCDN: CDNProvider {
  let name = "scripted"
  let deadline: Duration = .seconds(1)
  private let sent = Mutex<[String]>([])
  private let judge: @Sendable ([String]) async -> CDNError?

  init(_ judge: @escaping @Sendable ([String]) async -> CDNError? = { _ in nil }) {
    self.judge = judge
  }

  var done: [String] { sent.withLock(\.self) }

  func group(of purge: CDNPurge) -> PurgeGroup { PurgeGroup("tags", limit: 10) }

  func send(_ batch: PurgeBatch) async throws(CDNError) {
    let tags = batch.purges.map { if case .tag(let tag) = $0.target { tag } else { "" } }
    if let error = await judge(tags) { throw error }
    sent.withLock { $0 += tags }
  }
}

@Suite(.blocking, .timeLimit(.minutes(1))) struct `The queue of purges` {
  private static func configuration(
    _ change: (inout PurgeQueueConfiguration) -> Void = { _ in }
  ) -> PurgeQueueConfiguration {
    var configuration = PurgeQueueConfiguration()
    configuration.poll = .milliseconds(20)
    configuration.hold = .seconds(2)
    configuration.firstPause = .milliseconds(20)
    configuration.longestPause = .milliseconds(100)
    configuration.deadline = .seconds(30)
    change(&configuration)
    return configuration
  }

  private static func queue(
    _ provider: any CDNProvider, _ server: RedisServerProcess?,
    else place: PurgeQueue.Place = .memory, node: String = "n1",
    metrics: MetricRegistry? = nil, _ change: (inout PurgeQueueConfiguration) -> Void = { _ in }
  ) throws -> PurgeQueue {
    PurgeQueue(
      provider, in: try server.map { .redis(try RedisClient($0.configuration())) } ?? place,
      node: node,
      configuration(change), metrics: metrics, logger: Logger(label: "test"))
  }

  /// Where purges wait.
  enum Keeper: CaseIterable { case redis, file, memory }

  private static func file() throws -> SQLitePurges {
    SQLitePurges(
      try RecordFile(
        path: FileManager.default.temporaryDirectory.appendingPathComponent(
          "purges-\(UUID().uuidString).sqlite"
        ).path))
  }

  @Test(arguments: Keeper.allCases)
  func `all are done once, in the order of each wedding`(keeper: Keeper) async throws {
    let server = keeper == .redis ? try RedisServerProcess() : nil
    let place = keeper == .file ? PurgeQueue.Place.file(try Self.file()) : .memory
    let cdn = ScriptedCDN()
    let registry = MetricRegistry()
    let queue = try Self.queue(cdn, server, else: place, metrics: registry)
    let names = (0..<2_000).map { "w\($0 % 7)-\($0)" }
    try await queue.publish(
      names.map { CDNPurge(wedding: String($0.prefix(2)), .tag($0), reason: "test") })
    #expect(try await queue.status().queued == 2_000)
    let task = Task { await queue.run() }
    try await wait { try await queue.status().sent == 2_000 }
    #expect(cdn.done.count == 2_000)
    for wedding in (0..<7).map({ "w\($0)" }) {
      #expect(
        cdn.done.filter { $0.hasPrefix(wedding) } == names.filter { $0.hasPrefix(wedding) })
    }
    let status = try await queue.status()
    #expect(status.queued == 0)
    #expect(status.failed == 0)
    #expect(status.oldestAge == nil)
    #expect(status.holder == "n1")
    let text = String(decoding: registry.text(), as: UTF8.self)
    #expect(text.contains("wedlive_cdn_purges_total{provider=\"scripted\",result=\"sent\"} 2000"))
    task.cancel()
    await task.value
    #expect(try await queue.status().holder == nil)
  }

  @Test func `one node at a time does them, whoever queues them`() async throws {
    let server = try RedisServerProcess()
    let running = Atomic<Int>(0)
    let most = Mutex(0)
    let cdn = ScriptedCDN { _ in
      let now = running.wrappingAdd(1, ordering: .relaxed).newValue
      most.withLock { $0 = max($0, now) }
      try? await Task.sleep(for: .milliseconds(2))
      running.wrappingSubtract(1, ordering: .relaxed)
      return nil
    }
    let queues = try (1...3).map { try Self.queue(cdn, server, node: "n\($0)") }
    let tasks = queues.map { queue in Task { await queue.run() } }
    for number in 0..<300 {
      try await queues[number % 3].publish(tags(["t\(number)"], wedding: "w"))
    }
    try await wait { try await queues[0].status().sent == 300 }
    #expect(cdn.done == (0..<300).map { "t\($0)" })
    #expect(most.withLock(\.self) == 1)
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
  }

  @Test func `what a node had when it died another one does`() async throws {
    let server = try RedisServerProcess()
    // It takes purges, and is never heard of again.
    let stuck = ScriptedCDN { _ in
      try? await Task.sleep(for: .seconds(3_600))
      return CDNError(.cancelled, "")
    }
    let first = try Self.queue(stuck, server, node: "dead")
    try await first.publish(tags((0..<25).map { "t\($0)" }, wedding: "w"))
    let dead = Task { await first.run() }
    try await wait { try await first.status().holder == "dead" }
    try await wait { try server.ask("XPENDING", "wl:cdn:purges", "cdn").contains("dead") }
    let cdn = ScriptedCDN()
    let second = try Self.queue(cdn, server, node: "heir")
    try await second.publish(tags(["last"], wedding: "w"))
    let task = Task { await second.run() }
    try await wait { try await second.status().queued == 0 }
    #expect(cdn.done == (0..<25).map { "t\($0)" } + ["last"])
    #expect(try await second.status().holder == "heir")
    // The dead one's lease ran out: it was not asked to let go.
    dead.cancel()
    task.cancel()
    await task.value
  }

  @Test func `a purge that can't be done is given up and seen, and holds nobody up`() async throws {
    let server = try RedisServerProcess()
    let cdn = ScriptedCDN { tags in
      if tags.contains("poison") { return CDNError(.unavailable, "it chokes") }
      return tags.contains("wrong") ? CDNError(.refused, "no such thing") : nil
    }
    let queue = try Self.queue(cdn, server) { $0.maxAttempts = 4 }
    try await queue.publish(tags((0..<8).map { "a\($0)" } + ["poison", "wrong"]))
    try await queue.publish(tags((0..<30).map { "b\($0)" }))
    let task = Task { await queue.run() }
    // Others come all the while.
    var number = 0
    while try await queue.status().failed < 2 {
      try await queue.publish(tags(["c\(number)"]))
      number += 1
      try await Task.sleep(for: .milliseconds(20))
    }
    let total = 38 + number
    try await wait { try await queue.status().sent == total }
    let status = try await queue.status()
    #expect(status.queued == 0)
    #expect(status.lastError?.contains("it chokes") == true)
    #expect(status.lastErrorTime != nil)
    let failures = try await queue.failures()
    #expect(failures.map(\.purge.wedding) == ["poison", "wrong"])
    #expect(failures.map(\.error) == ["unavailable: it chokes", "refused: no such thing"])
    task.cancel()
    await task.value
  }

  @Test(arguments: Keeper.allCases)
  func `a full queue refuses, and drops none`(keeper: Keeper) async throws {
    let server = keeper == .redis ? try RedisServerProcess() : nil
    let place = keeper == .file ? PurgeQueue.Place.file(try Self.file()) : .memory
    let cdn = ScriptedCDN()
    let queue = try Self.queue(cdn, server, else: place) { $0.maxQueued = 10 }
    try await queue.publish(tags((0..<8).map { "t\($0)" }))
    await #expect(throws: CDNError(.full, "10 purges wait already")) {
      try await queue.publish(tags(["a", "b", "c"]))
    }
    try await queue.publish(tags(["y", "z"]))
    await #expect(throws: CDNError.self) {
      try await queue.publish([CDNPurge(wedding: "w", .path("no slash"), reason: "test")])
    }
    let task = Task { await queue.run() }
    try await wait { try await queue.status().sent == 10 }
    #expect(cdn.done == (0..<8).map { "t\($0)" } + ["y", "z"])
    task.cancel()
    await task.value
  }

  @Test func `with Redis gone for a while it goes on, also with an empty one`() async throws {
    let server = try RedisServerProcess()
    let cdn = ScriptedCDN()
    let queue = try Self.queue(cdn, server) { $0.deadline = .seconds(1) }
    let task = Task { await queue.run() }
    try await queue.publish(tags(["before"]))
    try await wait { cdn.done == ["before"] }
    server.kill()
    await #expect(throws: CDNError.self) { try await queue.publish(tags(["lost"])) }
    try server.start()
    try await wait { (try? await queue.publish(tags(["after"]))) != nil }
    try await wait { cdn.done.contains("after") }
    try await wait { try await queue.status().queued == 0 }
    task.cancel()
    await task.value
  }

  @Test func `what was done while Redis took no note of it is noted later, and not done again`()
    async throws
  {
    let server = try RedisServerProcess()
    let calls = Atomic<Int>(0)
    let cdn = ScriptedCDN { _ in
      if calls.wrappingAdd(1, ordering: .relaxed).newValue == 1 {
        _ = try? server.ask("ACL", "SETUSER", "default", "-@scripting")
      }
      return nil
    }
    let queue = try Self.queue(cdn, server) { $0.hold = .seconds(60) }
    try await queue.publish(tags((0..<12).map { "t\($0)" }, wedding: "w"))
    let task = Task { await queue.run() }
    // The second one is of a later round.
    try await wait {
      let text = try server.ask("INFO", "errorstats")
      return (text.firstMatch(of: /errorstat_NOPERM:count=(\d+)/).flatMap { Int($0.1) } ?? 0) > 1
    }
    #expect(try await queue.status().queued == 12)
    _ = try server.ask("ACL", "SETUSER", "default", "+@scripting")
    try await wait { try await queue.status().queued == 0 }
    #expect(cdn.done == (0..<12).map { "t\($0)" })
    #expect(try await queue.status().sent == 12)
    task.cancel()
    await task.value
  }

  @Test func `no hold is shorter than two calls`() async throws {
    let server = try RedisServerProcess()
    let cdn = ScriptedCDN()
    let queue = try Self.queue(cdn, server) { $0.hold = .milliseconds(1) }
    let task = Task { await queue.run() }
    try await wait { try await queue.status().holder == "n1" }
    let left = try server.ask("PTTL", "{wl:cdn:purges}:holder")
    #expect((Int(left.trimmingPrefix { $0.isWhitespace }.prefix { $0.isNumber }) ?? 0) > 500)
    task.cancel()
    await task.value
  }

  @Test func `an entry that isn't a purge is given up, and harms nothing`() async throws {
    let server = try RedisServerProcess()
    let cdn = ScriptedCDN()
    let queue = try Self.queue(cdn, server)
    _ = try server.ask("XADD", "wl:cdn:purges", "*", "kind", "tag", "what", "a\nb")
    try await queue.publish(tags(["good"]))
    let task = Task { await queue.run() }
    try await wait { try await queue.status().sent == 1 }
    #expect(try await queue.status().failed == 1)
    #expect(try await queue.status().queued == 0)
    task.cancel()
    await task.value
  }

  @Test func `10,000 purges are done within the limits of a CDN that fails now and then`()
    async throws
  {
    let server = try RedisServerProcess()
    let cdn = try StrictCDN()
    let queue = try Self.queue(cdn.cloudflare { $0.deadline = .milliseconds(500) }, server)
    try await cdn.fail(
      .init(match: "\"t0\"", count: 1, status: 500),
      .init(match: "\"t1000\"", count: 1, status: 429, headers: ["Retry-After": "1"]),
      .init(match: "\"t3000\"", count: 1, hang: 1),
      .init(match: "\"t5000\"", count: 1, status: 200),
      .init(match: "\"t7007\"", status: 400))
    let names = (0..<10_000).map { "t\($0)" }
    try await queue.publish(names.map { CDNPurge(wedding: "w-\($0)", .tag($0), reason: "test") })
    let task = Task { await queue.run() }
    try await wait { try await queue.status().queued == 0 }
    #expect(try await queue.status().failed == 1)
    #expect(try await queue.failures().map(\.purge.wedding) == ["w-t7007"])
    let calls = try await cdn.calls()
    #expect(calls.allSatisfy { $0.error == nil })
    #expect(
      Set(calls.flatMap(\.done)) == Set(names.map { "tags \($0)" }).subtracting(["tags t7007"]))
    #expect(calls.count < 140)
    task.cancel()
    await task.value
  }
}

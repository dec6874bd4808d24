import BlockingSupport
import Redis
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `What caches must forget` {
  /// Follows, and tells a signal; that all has been caught up only where that is asked for.
  private static func follow(
    _ node: TestNode, after id: RedisStreamID? = nil, current: Bool = false
  ) -> (events: Signal<Invalidations.Event>, task: Task<Void, Never>) {
    let events = Signal<Invalidations.Event>()
    let invalidations = node.cluster.invalidations
    let task = Task {
      await invalidations.run(after: id) { event in
        if current || event != .current { events.send(event) }
      }
    }
    return (events, task)
  }

  private static func purge(_ event: Invalidations.Event?) -> Invalidation? {
    if case .purge(let invalidation, _) = event { invalidation } else { nil }
  }

  @Test func `all nodes are told, of each kind, in order`() async throws {
    let server = try RedisServerProcess()
    let nodes = try (1...2).map { try TestNode("n\($0)", server, runs: false) }
    let followers = nodes.map { Self.follow($0) }
    for follower in followers { #expect(await follower.events.next() == .following(.beginning)) }
    let all = [
      Invalidation(.key("https://x/a?b=c&d=é")), Invalidation(.prefix("/hls/w1/"), isSoft: true),
      Invalidation(.tag("w1"), isSoft: false),
    ]
    try await nodes[0].cluster.invalidations.publish(all)
    for follower in followers {
      var seen: [Invalidation?] = []
      for _ in all { seen.append(Self.purge(await follower.events.next())) }
      #expect(seen == all)
      follower.task.cancel()
    }
  }

  @Test func `who was away catches up by id, and misses none of 10,000`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (
      try TestNode("one", server, runs: false), try TestNode("two", server, runs: false)
    )
    let first = Self.follow(two)
    #expect(await first.events.next() == .following(.beginning))
    try await one.cluster.invalidations.publish(Invalidation(.key("0")))
    guard case .purge(_, let position) = await first.events.next() else {
      throw RedisServerProcess.Missing(description: "no purge")
    }
    first.task.cancel()
    await first.task.value
    try await one.cluster.invalidations.publish((1...10_000).map { Invalidation(.key("\($0)")) })
    let second = Self.follow(two, after: position)
    #expect(await second.events.next() == .following(position))
    for number in 1...10_000 {
      let key = Self.purge(await second.events.next())
      guard key == Invalidation(.key("\(number)")) else {
        Issue.record("\(number) is missing")
        break
      }
    }
    #expect(two.metric("wedlive_cluster_invalidations_total{kind=\"purge\"}") == 10_001)
  }

  @Test func `it is told when all that was told meanwhile has been handed out`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, runs: false)
    let fresh = Self.follow(one, current: true)
    #expect(await fresh.events.next() == .following(.beginning))
    #expect(await fresh.events.next() == .current)
    try await one.cluster.invalidations.publish((1...600).map { Invalidation(.key("\($0)")) })
    guard case .purge(_, let first) = await fresh.events.next() else {
      throw RedisServerProcess.Missing(description: "no purge")
    }
    fresh.task.cancel()
    let second = Self.follow(one, after: first, current: true)
    #expect(await second.events.next() == .following(first))
    for number in 2...600 {
      #expect(Self.purge(await second.events.next()) == Invalidation(.key("\(number)")))
    }
    #expect(await second.events.next() == .current)
    second.task.cancel()
    // A position beyond the newest is another stream's.
    let beyond = RedisStreamID(milliseconds: .max, sequence: 0)
    let third = Self.follow(one, after: beyond, current: true)
    #expect(await third.events.next() == .following(beyond))
    #expect(await third.events.next() == .missed)
    #expect(await third.events.next() == .current)
    third.task.cancel()
  }

  @Test func `who was away for too long is told that some are missing`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, runs: false)
    try await one.cluster.invalidations.publish((1...3).map { Invalidation(.key("\($0)")) })
    let start = try await one.redis.newest(of: Invalidations.key, deadline: .seconds(5))
    try await one.cluster.invalidations.publish((4...9).map { Invalidation(.key("\($0)")) })
    try await one.redis.send(RedisCommand("XTRIM", Invalidations.key, "MAXLEN", 2))
    let follower = Self.follow(one, after: start)
    #expect(await follower.events.next() == .following(start))
    #expect(await follower.events.next() == .missed)
    #expect(Self.purge(await follower.events.next()) == Invalidation(.key("8")))
    follower.task.cancel()
  }

  @Test func `a Redis that comes back empty is told as a gap, and followed`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, runs: false)
    let follower = Self.follow(one)
    _ = await follower.events.next()
    try await one.cluster.invalidations.publish(Invalidation(.key("1")))
    #expect(Self.purge(await follower.events.next()) == Invalidation(.key("1")))
    server.kill()
    try server.start()
    #expect(await follower.events.next() == .missed)
    for await state in one.redis.changes { if state.isConnected { break } }
    try await one.cluster.invalidations.publish(Invalidation(.tag("2")))
    #expect(Self.purge(await follower.events.next()) == Invalidation(.tag("2")))
    follower.task.cancel()
  }

  @Test func `what isn't one is passed over, and what can't be told is refused`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, runs: false)
    let follower = Self.follow(one)
    _ = await follower.events.next()
    for what in ["", String(repeating: "x", count: 2_049), "a\r\nb", "a\u{7F}"] {
      await #expect(throws: ClusterError.self) {
        try await one.cluster.invalidations.publish([
          Invalidation(.key("good")), Invalidation(.key(what)),
        ])
      }
    }
    for fields in [
      ["kind", "key", "what", "", "mode", "hard"], ["kind", "all", "what", "x", "mode", "hard"],
      ["kind", "key", "what", "x", "mode", "gentle"], ["kind", "key", "mode", "hard"],
      ["kind", "key", "what", String(repeating: "x", count: 1 << 20), "mode", "hard"],
    ] {
      var command = RedisCommand("XADD", Invalidations.key, "*")
      command.append(contentsOf: fields)
      try await one.redis.send(command)
    }
    var raw = RedisCommand("XADD", Invalidations.key, "*", "kind", "key", "mode", "hard", "what")
    raw.append([0xFF, 0xFE])
    try await one.redis.send(raw)
    try await one.cluster.invalidations.publish(Invalidation(.key("last")))
    #expect(Self.purge(await follower.events.next()) == Invalidation(.key("last")))
    #expect(one.metric("wedlive_cluster_refused_records_total{kind=\"invalidation\"}") == 6)
    follower.task.cancel()
  }
}

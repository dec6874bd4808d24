import BlockingSupport
import Redis
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Leases when something fails` {
  /// How the record stands in Redis: owner, epoch, sequence.
  private static func stands(_ server: RedisServerProcess, _ id: StreamID) throws -> [String] {
    try server.ask("HMGET", id.key, "owner", "epoch", "sequence").split(
      separator: "\n", omittingEmptySubsequences: false
    ).prefix(3).map(String.init)
  }

  private static func claim(
    _ node: TestNode, _ id: StreamID, _ claim: StreamClaim = StreamClaim(),
    lost: Signal<LeaseLoss>? = nil
  ) async throws -> Lease {
    try #require(try await node.cluster.leases.claim(id, claim) { lost?.send($0) }.lease)
  }

  private static func holder(
    _ node: TestNode, _ id: StreamID, _ claim: StreamClaim = StreamClaim()
  ) async throws -> NodeID? {
    guard
      case .held(let owner, _) = try await node.cluster.leases.claim(id, claim, onLoss: { _ in })
    else { return nil }
    return owner
  }

  @Test func `of many who claim a stream at the same instant one gets it`() async throws {
    let server = try RedisServerProcess()
    let nodes = try (1...4).map { try TestNode("n\($0)", server) }
    for round in 1...10 {
      let id = try stream("w\(round)/main")
      let leases = try await withThrowingTaskGroup(of: Lease?.self) { group in
        for node in nodes {
          for _ in 1...5 {
            group.addTask { try await node.cluster.leases.claim(id, onLoss: { _ in }).lease }
          }
        }
        return try await group.reduce(into: [Lease]()) { if let lease = $1 { $0.append(lease) } }
      }
      #expect(leases.count == 1)
      #expect(leases.first?.epoch == 1)
    }
    #expect(nodes.reduce(0) { $0 + $1.cluster.leases.held.count } == 10)
  }

  @Test func `a lease goes behind another's that Redis could say nothing of`() async throws {
    let server = try RedisServerProcess()
    // It must not ask Redis by itself meanwhile.
    let node = try TestNode("one", server, runs: false)
    let id = try stream()
    let lease = try await Self.claim(node, id)
    for epoch in [0, 1, -7, Int64.max, StreamHead.largest] {
      #expect(!lease.pass(over: epoch))
    }
    #expect(lease.epoch == 1 && !lease.isProvisional)
    #expect(lease.pass(over: 4))
    #expect(lease.epoch == 5 && lease.isProvisional)
    // What was asked before is answered late.
    lease.confirm(2)
    #expect(lease.epoch == 5 && lease.isProvisional)
    #expect(try await node.cluster.leases.refresh(lease))
    #expect(try Self.stands(server, id).prefix(2) == ["one", "5"])
    #expect(!lease.isProvisional)
  }

  @Test func `a higher priority takes over from a living holder, who is told`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    let (id, lost) = (try stream(), Signal<LeaseLoss>())
    let lease = try await Self.claim(one, id, StreamClaim(priority: 5), lost: lost)
    #expect(try await Self.holder(two, id, StreamClaim(priority: 5)) == one.id)
    let next = try await Self.claim(two, id, StreamClaim(priority: 6))
    #expect(next.epoch == 2)
    #expect(await lost.next() == LeaseLoss(stream: id, owner: two.id, epoch: 2))
    #expect(!lease.isHeld && next.isHeld)
    // What the old one still has to say is not written.
    await one.cluster.leases.release(lease, head: StreamHead(sequence: 9))
    #expect(try Self.stands(server, id) == ["two", "2", ""])
  }

  @Test func `who resumes an epoch wins over no holder of a higher priority`() async throws {
    let server = try RedisServerProcess()
    let nodes = try ["one", "two", "three"].map { try TestNode($0, server) }
    let id = try stream()
    let first = try await Self.claim(nodes[0], id, StreamClaim(priority: 1))
    // Another publisher is preferred; the edge of the first one takes what it was taken back.
    let preferred = try await Self.claim(nodes[1], id, StreamClaim(priority: 5))
    #expect(preferred.epoch == first.epoch + 1)
    let back = StreamClaim(priority: 1, resumes: preferred.epoch)
    #expect(try await Self.holder(nodes[2], id, back) == nodes[1].id)
    // Its own edge goes on with it.
    let own = StreamClaim(priority: 5, resumes: preferred.epoch)
    let moved = try await Self.claim(nodes[2], id, own)
    #expect(moved.epoch == preferred.epoch + 1)
    // One with less priority goes on with the same lease, and may be taken elsewhere.
    nodes[2].cluster.leases.set(priority: 1, of: moved)
    try await wait {
      let lease = try await nodes[0].cluster.leases.claim(
        id, StreamClaim(priority: 1, resumes: moved.epoch), onLoss: { _ in }
      ).lease
      return lease?.epoch == moved.epoch + 1
    }
  }

  @Test func `who resumes an epoch wins over its holder, and over no later one`() async throws {
    let server = try RedisServerProcess()
    let nodes = try ["one", "two", "three"].map { try TestNode($0, server) }
    let id = try stream()
    let first = try await Self.claim(nodes[0], id)
    let head = StreamHead(sequence: 12, end: 5, names: ["12.ts"])
    #expect(try await nodes[0].cluster.leases.publish(head, of: first))
    let second = try await Self.claim(nodes[1], id, StreamClaim(resumes: 1))
    #expect(second.epoch == 2 && second.inherited == head && second.previousOwner == nodes[0].id)
    // The edge had tried a third origin too, whose claim comes late.
    #expect(try await Self.holder(nodes[2], id, StreamClaim(resumes: 1)) == nodes[1].id)
    #expect(second.isHeld)
  }

  @Test func `a holder that fails its checks is taken over from before its lease ends`()
    async throws
  {
    let server = try RedisServerProcess()
    var long = TestNode.quick
    long.lease = .seconds(600)
    let dead = PeerProbe { record, _ in record.id.text != "one" ? .well : .none("dead") }
    let one = try TestNode("one", server, configuration: long)
    let two = try TestNode("two", server, configuration: long, probe: dead)
    let id = try stream()
    _ = try await Self.claim(one, id)
    await two.sees { $0[one.id]?.isDown == true }
    #expect(try await Self.claim(two, id).epoch == 2)
  }

  @Test func `a node that was started again takes its own streams at once`() async throws {
    let server = try RedisServerProcess()
    var long = TestNode.quick
    long.lease = .seconds(600)
    let before = try TestNode("one", server, configuration: long)
    let id = try stream()
    let lease = try await Self.claim(before, id)
    #expect(
      try await before.cluster.leases.publish(StreamHead(sequence: 3, names: ["3.ts"]), of: lease))
    before.stop()
    let after = try TestNode("one", server, configuration: long)
    let next = try await Self.claim(after, id)
    #expect(next.epoch == 2 && next.inherited?.sequence == 3 && next.previousOwner == nil)
  }

  @Test func `while Redis is away the holder goes on, and is the holder when it is back`()
    async throws
  {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, silence: .seconds(1))
    let two = try TestNode("two", server, silence: .seconds(1))
    let (id, lost) = (try stream(), Signal<LeaseLoss>())
    let lease = try await Self.claim(one, id, lost: lost)
    try server.pause()
    for await state in one.redis.changes { if case .lost = state { break } }
    for await state in two.redis.changes { if case .lost = state { break } }
    #expect(try await !one.cluster.leases.publish(StreamHead(sequence: 7), of: lease))
    #expect(lease.isHeld)
    server.resume()
    for await state in two.redis.changes { if state.isConnected { break } }
    // As if its key had run out meanwhile: who claims first finds that this says nothing yet.
    try await two.redis.send(RedisCommand("DEL", id.leaseKey))
    #expect(try await Self.holder(two, id) == one.id)
    try await wait { try Self.stands(server, id) == ["one", "1", "7"] }
    #expect(lease.isHeld)
  }

  @Test func `a node that began without Redis leaves holders the time to say so`() async throws {
    let server = try RedisServerProcess(settings: [
      "--appendonly", "yes", "--appendfsync", "always",
    ])
    let one = try TestNode("one", server)
    let id = try stream()
    let lease = try await Self.claim(one, id)
    server.kill()
    let two = try TestNode("two", server)
    for await state in two.redis.changes { if case .lost = state { break } }
    #expect(try await Self.claim(two, try stream("w2/main")).isProvisional)
    try server.start()
    for await state in two.redis.changes { if state.isConnected { break } }
    // As if it had run out while Redis was down.
    try await two.redis.send(RedisCommand("DEL", id.leaseKey))
    #expect(try await Self.holder(two, id) == one.id)
    #expect(lease.isHeld)
  }

  @Test func `an emptied Redis gets the holder back, with its epoch and its head`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    let (id, lost) = (try stream(), Signal<LeaseLoss>())
    let before = try await Self.claim(two, id)
    await two.cluster.leases.release(before)
    let lease = try await Self.claim(one, id, lost: lost)
    #expect(try await one.cluster.leases.publish(StreamHead(sequence: 70), of: lease))
    server.kill()
    try server.start()
    try await wait { try Self.stands(server, id) == ["one", "2", "70"] }
    // The other one has to be back at Redis to be told whose it is.
    try await wait { (try? await two.redis.send(RedisCommand("PING"))) != nil }
    #expect(lease.isHeld && lease.epoch == 2)
    #expect(try await Self.holder(two, id) == one.id)
  }

  @Test func `of two holders the higher epoch wins, and the other is told`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    let (id, lost) = (try stream(), Signal<LeaseLoss>())
    await two.cluster.leases.release(try await Self.claim(two, id))
    let lease = try await Self.claim(two, id)
    #expect(lease.epoch == 2)
    // Another claims in an emptied Redis, before the holder's next refresh.
    two.stop()
    try await two.redis.send(RedisCommand("FLUSHALL"))
    let other = try await Self.claim(one, id, lost: lost)
    #expect(other.epoch == 1)
    two.run()
    #expect(await lost.next() == LeaseLoss(stream: id, owner: two.id, epoch: 2))
    #expect(lease.isHeld && !other.isHeld)
  }

  @Test(arguments: [("one", "two"), ("two", "one")])
  func `of two with one epoch the lower name wins`(_ names: (holder: String, other: String))
    async throws
  {
    let server = try RedisServerProcess()
    let holder = try TestNode(names.holder, server)
    let other = try TestNode(names.other, server)
    let (id, lost) = (try stream(), Signal<LeaseLoss>())
    let first = try await Self.claim(holder, id, lost: lost)
    holder.stop()
    try await holder.redis.send(RedisCommand("FLUSHALL"))
    let second = try await Self.claim(other, id, lost: lost)
    #expect(first.epoch == 1 && second.epoch == 1)
    holder.run()
    let loss = await lost.next()
    #expect(loss?.owner.text == "one")
    #expect((names.holder == "one" ? first : second).isHeld)
    #expect(!(names.holder == "one" ? second : first).isHeld)
  }

  @Test func `an epoch that is known elsewhere is passed, also in an empty Redis`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server)
    #expect(try await Self.claim(one, try stream(), StreamClaim(knownEpoch: 41)).epoch == 42)
    for wrong in [0, -1, Int64.max] {
      await #expect(throws: ClusterError.self) {
        try await one.cluster.leases.claim(
          try stream("w2/main"), StreamClaim(knownEpoch: wrong), onLoss: { _ in })
      }
    }
  }

  @Test func `a stream that begins without Redis is its node's when Redis is back`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server)
    for await state in one.redis.changes { if state.isConnected { break } }
    server.kill()
    for await state in one.redis.changes { if case .lost = state { break } }
    let id = try stream()
    var strict = StreamClaim()
    strict.mayBeProvisional = false
    await #expect(throws: ClusterError.self) {
      try await one.cluster.leases.claim(id, strict, onLoss: { _ in })
    }
    let lease = try await Self.claim(one, id, StreamClaim(knownEpoch: 6))
    #expect(lease.isProvisional && lease.isHeld && lease.epoch == 7)
    #expect(try await !one.cluster.leases.publish(StreamHead(sequence: 1), of: lease))
    try server.start()
    try await wait { try Self.stands(server, id) == ["one", "7", "1"] }
    try await wait { !lease.isProvisional }
  }

  @Test func `one that began without Redis gives way to who held it all along`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, silence: .seconds(1))
    let two = try TestNode("two", server, silence: .seconds(1))
    let (id, lost) = (try stream(), Signal<LeaseLoss>())
    await one.cluster.leases.release(try await Self.claim(one, id))
    let lease = try await Self.claim(one, id)
    try server.pause()
    for await state in two.redis.changes { if case .lost = state { break } }
    let late = try await Self.claim(two, id, lost: lost)
    #expect(late.isProvisional && late.epoch == 1)
    server.resume()
    for await state in two.redis.changes { if state.isConnected { break } }
    try await two.redis.send(RedisCommand("DEL", id.leaseKey))
    #expect(await lost.next()?.owner == one.id)
    #expect(lease.isHeld && !late.isHeld)
  }

  @Test func `one that began without Redis follows a holder that has gone`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, configuration: TestNode.brief, silence: .seconds(1))
    let two = try TestNode("two", server, configuration: TestNode.brief, silence: .seconds(1))
    let id = try stream()
    await one.cluster.leases.release(try await Self.claim(one, id))
    _ = try await Self.claim(one, id)
    one.stop()
    try server.pause()
    for await state in two.redis.changes { if case .lost = state { break } }
    let late = try await Self.claim(two, id)
    #expect(late.isProvisional && late.epoch == 1)
    server.resume()
    try await wait { !late.isProvisional }
    #expect(late.isHeld && late.epoch == 3)
  }

  @Test func `heads never go back, and what is out of range is refused`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server)
    let id = try stream()
    let lease = try await Self.claim(one, id)
    #expect(try await one.cluster.leases.publish(StreamHead(sequence: 8), of: lease))
    #expect(try await one.cluster.leases.publish(StreamHead(sequence: 5), of: lease))
    #expect(try Self.stands(server, id) == ["one", "1", "8"])
    // Nor where an older one comes late on its way to Redis.
    try await one.redis.run(
      LeaseScripts.refresh, keys: [id.key, id.leaseKey, id.homeKey],
      arguments: ["one", one.cluster.membership.incarnation, 4_000, 60_000, 0, 1, 1]
        + StreamHead(sequence: 6).values)
    #expect(try Self.stands(server, id) == ["one", "1", "8"])
    for head in [
      StreamHead(sequence: -1), StreamHead(sequence: .max), StreamHead(sequence: 9, names: ["a b"]),
      StreamHead(sequence: 9, names: Array(repeating: "x", count: 33)),
      StreamHead(sequence: 9, names: [String(repeating: "x", count: 300)]),
      StreamHead(sequence: 9, camera: "a/b"),
    ] {
      await #expect(throws: ClusterError.self) {
        try await one.cluster.leases.publish(head, of: lease)
      }
    }
  }

  @Test func `a lease that is given up is not taken back by a refresh under way`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    let id = try stream()
    for epoch in 1...30 {
      let node = epoch.isMultiple(of: 2) ? one : two
      let lease = try await Self.claim(node, id)
      #expect(lease.epoch == Int64(epoch))
      async let first: Bool? = try? node.cluster.leases.refresh(lease)
      async let second: Void = node.cluster.leases.release(lease)
      _ = await (first, second)
      #expect(try server.ask("EXISTS", id.leaseKey) == "0\n")
    }
  }
}

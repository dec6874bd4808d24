import BlockingSupport
import Cluster
import RedisSupport
import Synchronization
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Leases of streams` {
  @Test func `one node holds a stream, and its numbers go on with the next holder`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    let id = try stream()
    let lease = try #require(try await one.cluster.leases.claim(id) { _ in }.lease)
    #expect(lease.epoch == 1 && lease.inherited == nil && lease.isHeld)
    guard case .held(let owner, 1) = try await two.cluster.leases.claim(id, onLoss: { _ in }) else {
      throw RedisServerProcess.Missing(description: "it was granted twice")
    }
    #expect(owner == one.id)
    let head = StreamHead(
      sequence: 41, discontinuity: 2, end: -90_000, names: ["a/1.ts", "a/2.ts"],
      date: 1_795_939_000_000)
    #expect(try await one.cluster.leases.publish(head, of: lease))
    await one.cluster.leases.release(lease)
    #expect(!lease.isHeld)
    let next = try #require(try await two.cluster.leases.claim(id) { _ in }.lease)
    #expect(next.epoch == 2)
    #expect(next.inherited == head)
    #expect(next.previousOwner == one.id)
    #expect(one.cluster.leases.held.isEmpty)
    #expect(two.metric("wedlive_cluster_leases") == 1)
  }

  @Test func `a holder that falls silent loses its stream to the next claim`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, configuration: TestNode.brief)
    let two = try TestNode("two", server, configuration: TestNode.brief)
    let lost = Signal<LeaseLoss>()
    let id = try stream()
    let lease = try #require(try await one.cluster.leases.claim(id) { lost.send($0) }.lease)
    one.stop()
    var next: Lease?
    while next == nil { next = try await two.cluster.leases.claim(id) { _ in }.lease }
    #expect(next?.epoch == 2)
    #expect(lease.isHeld)
    // It comes back, and is told at once.
    one.run()
    #expect(await lost.next() == LeaseLoss(stream: id, owner: two.id, epoch: 2))
    #expect(!lease.isHeld)
    await #expect(throws: ClusterError.notHeld(id)) {
      try await one.cluster.leases.publish(StreamHead(sequence: 1), of: lease)
    }
  }

  @Test func `a stream is over where nobody has it, or waits for its publisher`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (
      try TestNode("one", server, configuration: TestNode.brief),
      try TestNode("two", server, configuration: TestNode.brief)
    )
    let (id, other) = (try stream(), try stream("w1/other"))
    func isOver(_ node: TestNode, _ id: StreamID, _ silence: Duration) async throws -> Bool {
      try await node.cluster.leases.isOver(id, for: silence)
    }
    // Only once who had it before Redis was there has had the time to say so.
    for node in [one, two] { try await wait { try await isOver(node, id, .seconds(3_600)) } }
    let lease = try #require(try await one.cluster.leases.claim(id) { _ in }.lease)
    for node in [one, two] { #expect(try await !isOver(node, id, .zero)) }
    // A camera of that wedding that this node may know nothing of.
    #expect(try await !isOver(two, other, .zero))
    await one.cluster.leases.release(lease)
    try await wait { try await isOver(two, other, .seconds(3_600)) }
    #expect(try await !isOver(two, id, .seconds(3_600)))
    #expect(try await isOver(two, id, .zero))
    // What it has itself, it knows better.
    #expect(try await isOver(one, id, .seconds(3_600)))
    server.kill()
    try await wait { (try? await isOver(two, id, .zero)) != true }
  }

  @Test func `one whose holder has not given it up is over where that is gone`() async throws {
    let server = try RedisServerProcess()
    let configuration = TestNode.brief
    let isDead = Mutex(false)
    let probe = PeerProbe { record, _ in
      record.id.text == "one" && isDead.withLock { $0 } ? .none("dead") : .well
    }
    let one = try TestNode("one", server, configuration: configuration)
    let two = try TestNode("two", server, configuration: configuration, probe: probe)
    let id = try stream()
    _ = try #require(try await one.cluster.leases.claim(id) { _ in }.lease)
    await two.sees { $0[one.id]?.isReachable == true }
    one.stop()
    try await wait {
      try server.ask("EXISTS", "wl:lease:{\(id.wedding)}/\(id.camera)") == "0\n"
        && server.ask("EXISTS", "wl:home:{\(id.wedding)}") == "0\n"
    }
    // It answers, and may only be cut off from Redis.
    await two.sees { $0[one.id]?.hasAnswered == true }
    #expect(try await !two.cluster.leases.isOver(id, for: .zero))
    isDead.withLock { $0 = true }
    await two.sees { $0[one.id]?.isDown == true }
    #expect(try await two.cluster.leases.isOver(id, for: .zero))
    #expect(try await !two.cluster.leases.isOver(id, for: .seconds(3_600)))
  }

  @Test func `one that the next run of its node has is lost at once`() async throws {
    let server = try RedisServerProcess()
    var configuration = TestNode.quick
    configuration.lease = .seconds(300)
    configuration.leaseRefresh = .seconds(100)
    let before = try TestNode("one", server, configuration: configuration)
    let id = try stream()
    let lost = Signal<LeaseLoss>()
    let lease = try #require(
      try await before.cluster.leases.claim(id) { lost.send($0) }.lease)
    let after = try TestNode("one", server, configuration: configuration, runs: false)
    let next = try await after.cluster.leases.claim(id) { _ in }.lease
    #expect(next?.epoch == 2)
    #expect(await lost.next() == LeaseLoss(stream: id, owner: before.id, epoch: 2))
    #expect(!lease.isHeld)
  }

  @Test func `the directory says where a stream is, and follows it`() async throws {
    let server = try RedisServerProcess()
    var configuration = TestNode.quick
    configuration.directoryAge = .seconds(600)
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    let edge = try TestNode("edge", server, configuration: configuration, role: .edge)
    let id = try stream()
    #expect(try await edge.cluster.directory.owner(of: id) == nil)
    let lease = try #require(try await one.cluster.leases.claim(id) { _ in }.lease)
    try await wait { try await edge.cluster.directory.owner(of: id)?.node == one.id }
    #expect(try await edge.cluster.directory.owner(of: id)?.isLive == true)
    await one.cluster.leases.release(lease)
    _ = try await two.cluster.leases.claim(id) { _ in }
    try await wait { try await edge.cluster.directory.owner(of: id)?.node == two.id }
    let directory = edge.cluster.directory
    let home = two.cluster.membership.view[two.id]?.record.addresses.http ?? "127.0.0.1:8090"
    #expect(directory.isStale(1, of: id, toldAt: home))
    #expect(!directory.isStale(2, of: id, toldAt: "elsewhere:1"))
    // Who has no lease tells of a stream only as long as nobody else has one.
    try await wait { edge.cluster.membership.view[two.id] != nil }
    #expect(directory.isStale(nil, of: id, toldAt: "elsewhere:1"))
    #expect(!directory.isStale(nil, of: id, toldAt: home))
  }
}

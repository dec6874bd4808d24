import BlockingSupport
import Cluster
import Redis
import RedisSupport
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Membership of a cluster` {
  @Test func `nodes find each other, with what they say of themselves`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server, role: .edge))
    one.ready()
    two.cluster.membership.update {
      $0.state = .ready
      $0.load.viewers = 7
    }
    await one.sees { $0[two.id]?.record.load.viewers == 7 && $0[two.id]?.isUsable == true }
    await two.sees(one)
    #expect(one.view[two.id]?.record.role == .edge)
    #expect(one.view.origins.map(\.id) == [one.id])
    #expect(one.view.isCoordinated)
  }

  @Test func `who is about to serve can look who is there`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server)
    one.ready()
    let edge = try TestNode("edge", server, role: .edge, runs: false)
    #expect(!edge.view.isCoordinated)
    try await wait {
      await edge.cluster.membership.look(atMost: .seconds(5))
        && edge.view[one.id]?.isUsable == true
    }
    #expect(edge.view.isCoordinated)
    // It has said nothing of itself.
    #expect(one.view[edge.id] == nil)
    let lonely = try TestNode("lonely", server, role: .edge, runs: false)
    server.kill()
    #expect(await !lonely.cluster.membership.look(atMost: .milliseconds(300)))
    #expect(!lonely.view.isCoordinated)
  }

  @Test func `a change of state is seen long before the next heartbeat`() async throws {
    let server = try RedisServerProcess()
    var slow = TestNode.quick
    slow.beat = .seconds(600)
    let one = try TestNode("one", server, configuration: slow)
    let two = try TestNode("two", server, configuration: slow)
    one.ready()
    two.ready()
    await one.sees(two)
    await two.sees(one)
    two.cluster.membership.update { $0.state = .draining }
    await one.sees { $0[two.id]?.record.state == .draining }
  }

  @Test func `one that leaves is gone at once`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    two.ready()
    await one.sees(two)
    await two.cluster.membership.leave()
    await one.sees { $0[two.id] == nil }
  }

  @Test func `one that leaves its place to its next run neither writes over it nor removes it`()
    async throws
  {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    two.ready()
    await one.sees(two)
    await two.cluster.membership.retire()
    let next = try TestNode("two", server)
    next.ready()
    await one.sees { $0[two.id]?.record.incarnation == next.view[two.id]?.record.incarnation }
    let beat = { next.view[next.id]?.record.beat ?? 0 }
    let before = beat()
    await two.cluster.membership.leave()
    try await wait { beat() > before + 3 }
    #expect(one.view[two.id]?.isUsable == true)
    #expect(next.metric("wedlive_cluster_conflicts_total") == 0)
    #expect(two.metric("wedlive_cluster_conflicts_total") == 0)
  }

  @Test func `one that falls silent and answers nobody is removed`() async throws {
    let server = try RedisServerProcess()
    let dead = PeerProbe { _, _ in .none("dead") }
    let one = try TestNode("one", server, probe: dead)
    let two = try TestNode("two", server)
    two.ready()
    await one.sees { $0[two.id]?.isDown == true }
    two.stop()
    await one.sees { $0[two.id] == nil }
    // Its name goes too, so that nobody reads it for ever.
    try await wait { try server.ask("SISMEMBER", "wl:nodes", "two") == "0\n" }
    #expect(one.metric("wedlive_cluster_removals_total{reason=\"silent\"}") == 1)
  }

  @Test func `one that can't reach Redis but answers its peers stays`() async throws {
    let server = try RedisServerProcess()
    let alive = PeerProbe { _, _ in .well }
    let one = try TestNode("one", server, probe: alive)
    let two = try TestNode("two", server)
    two.ready()
    await one.sees(two)
    two.stop()
    await one.sees { $0[two.id]?.isSuspect == true && $0[two.id]?.isUsable == true }
    let checks = one.metric("wedlive_cluster_checks_total{result=\"passed\"}")
    try await wait { one.metric("wedlive_cluster_checks_total{result=\"passed\"}") > checks + 10 }
    #expect(one.view[two.id]?.isUsable == true)
    two.run()
    await one.sees { $0[two.id]?.isSuspect == false }
  }
}

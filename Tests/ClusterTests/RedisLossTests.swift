import BlockingSupport
import Redis
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `A cluster that loses its Redis` {
  /// Waits until a node knows that Redis is gone.
  private static func lost(_ node: TestNode) async {
    for await state in node.redis.changes { if case .lost = state { return } }
  }

  @Test func `Redis may be down at the start, and come later`() async throws {
    let server = try RedisServerProcess()
    server.kill()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    one.ready()
    two.ready()
    await Self.lost(one)
    #expect(one.view.nodes.keys.sorted() == [one.id])
    #expect(!one.view.isCoordinated)
    try server.start()
    await one.sees(two)
    await two.sees(one)
    await one.sees { $0.isCoordinated }
  }

  @Test func `while it is lost nobody is removed, and checks say who is used`() async throws {
    let server = try RedisServerProcess()
    let alive = Switch()
    let probe = PeerProbe { _, _ in alive.isOn ? .well : .none("off") }
    let (one, two) = (try TestNode("one", server, probe: probe), try TestNode("two", server))
    two.ready()
    await one.sees(two)
    server.kill()
    await one.sees { !$0.isCoordinated }
    #expect(one.view[two.id]?.isUsable == true)
    alive.set(false)
    await one.sees { $0[two.id]?.isDown == true }
    #expect(one.view[two.id]?.isSuspect == false)
    alive.set(true)
    await one.sees { $0[two.id]?.isUsable == true }
    #expect(one.metric("wedlive_cluster_coordinated") == 0)
    try server.start()
    await one.sees { $0.isCoordinated }
    #expect(one.view[two.id]?.isUsable == true)
    #expect(one.metric("wedlive_cluster_removals_total{reason=\"silent\"}") == 0)
  }

  @Test func `one that refuses writes takes nobody away, and nobody is missed when it takes them`()
    async throws
  {
    let server = try RedisServerProcess()
    let probe = PeerProbe { _, _ in .well }
    let (one, two) = (try TestNode("one", server, probe: probe), try TestNode("two", server))
    two.ready()
    await one.sees(two)
    await one.sees { $0.isCoordinated }
    let unusable = Switch()
    unusable.set(false)
    let watching = Task {
      for await view in one.cluster.membership.changes where view[two.id]?.isUsable != true {
        unusable.set(true)
      }
    }
    let beats = "wedlive_cluster_heartbeats_total{result="
    // As with `maxmemory` reached or a disk that is full: what it has can be read.
    _ = try server.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    // All records have expired long before.
    try await wait { one.metric("\(beats)\"failed\"}") > 20 }
    _ = try server.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    let written = one.metric("\(beats)\"written\"}")
    try await wait { one.metric("\(beats)\"written\"}") > written + 20 }
    watching.cancel()
    await watching.value
    #expect(!unusable.isOn)
    #expect(one.view[two.id]?.isUsable == true)
  }

  @Test func `one that stops answering without closing is lost too, and found again`()
    async throws
  {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server, silence: .seconds(1))
    let two = try TestNode("two", server, silence: .seconds(1))
    two.ready()
    await one.sees(two)
    try server.pause()
    await one.sees { !$0.isCoordinated }
    #expect(one.view[two.id]?.isUsable == true)
    server.resume()
    await one.sees { $0.isCoordinated && $0[two.id]?.isUsable == true }
  }

  @Test func `an emptied one throws nobody out`() async throws {
    let server = try RedisServerProcess()
    let nodes = try ["one", "two", "three"].map { try TestNode($0, server) }
    for node in nodes { node.ready() }
    for node in nodes { await node.sees { $0.origins.filter(\.isUsable).count == 3 } }
    // From here on a missing record counts: one that has gone is seen to be.
    let gone = try TestNode("gone", server)
    gone.ready()
    await nodes[0].sees(gone)
    await gone.halt()
    await nodes[0].sees { $0[gone.id]?.isSuspect == true }
    // Nobody may be seen as anything but usable from here on, in any view.
    let worst = Task { [node = nodes[0]] in
      for await view in node.cluster.membership.changes {
        if Task.isCancelled { return true }
        guard view.origins.filter(\.isUsable).count == 3 else { return false }
      }
      return true
    }
    for _ in 1...20 {
      try await nodes[0].redis.send(RedisCommand("FLUSHALL"))
      try await wait {
        try await nodes[0].redis.send(RedisCommand("SCARD", "wl:nodes")).integer == 3
      }
    }
    worst.cancel()
    #expect(await worst.value)
    // And one that really goes still goes.
    nodes[2].stop()
    await nodes[0].sees { $0[nodes[2].id]?.isReachable != true }
  }

  @Test func `events that were missed are made up for`() async throws {
    let server = try RedisServerProcess(settings: [
      "--appendonly", "yes", "--appendfsync", "always",
    ])
    var configuration = TestNode.quick
    configuration.directoryAge = .seconds(600)
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    let edge = try TestNode("edge", server, configuration: configuration, role: .edge)
    let id = try stream()
    let lease = try #require(try await one.cluster.leases.claim(id) { _ in }.lease)
    try await wait { try await edge.cluster.directory.owner(of: id)?.node == one.id }
    // Events come in order: with that of a head, those of the claim have been read.
    try await one.cluster.leases.publish(StreamHead(sequence: 1), of: lease)
    try await wait { try await edge.cluster.directory.owner(of: id)?.head?.sequence == 1 }
    try await one.cluster.leases.publish(StreamHead(sequence: 2), of: lease)
    try await wait { edge.cluster.directory.known(id)?.head?.sequence == 2 }
    #expect(try await edge.cluster.directory.owner(of: id)?.node == one.id)
    // The edge hears of nothing for a while.
    await edge.halt()
    await one.cluster.leases.release(lease)
    _ = try await two.cluster.leases.claim(id) { _ in }
    server.kill()
    try server.start()
    #expect(edge.cluster.directory.known(id)?.node == one.id)
    for await state in edge.redis.changes { if state.isConnected { break } }
    edge.run()
    try await wait { try await edge.cluster.directory.owner(of: id)?.node == two.id }
  }
}

/// Something that is on or off.
final class Switch: Sendable {
  private let state = Board(true)
  var isOn: Bool { state.value }
  func set(_ value: Bool) { state.set(value) }
}

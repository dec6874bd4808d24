import BlockingSupport
import Redis
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `A directory of streams` {
  private static func commands(_ server: RedisServerProcess, _ name: String) throws -> Int {
    let line = try server.ask("INFO", "commandstats").split(whereSeparator: \.isNewline).first {
      $0.hasPrefix("cmdstat_\(name):")
    }
    return line.flatMap { Int($0.drop { $0 != "=" }.dropFirst().prefix { $0 != "," }) } ?? 0
  }

  private static let lookedUp = "wedlive_cluster_lookups_total{result=\"looked_up\"}"

  /// A node that is not running asks Redis for nothing but what it is asked for.
  private static func quiet(
    _ server: RedisServerProcess, silence: Duration = .seconds(20),
    _ change: (inout ClusterConfiguration) -> Void = { _ in }
  ) throws -> TestNode {
    var configuration = TestNode.quick
    configuration.directoryAge = .seconds(600)
    configuration.absentAge = .seconds(600)
    change(&configuration)
    return try TestNode(
      "edge", server, configuration: configuration, role: .edge, silence: silence, runs: false)
  }

  private static func write(
    _ node: TestNode, _ id: StreamID, owner: String, epoch: Int, lease: Bool = true
  ) async throws {
    try await node.redis.send(RedisCommand("HSET", id.key, "owner", owner, "epoch", epoch))
    if lease { try await node.redis.send(RedisCommand("SET", id.leaseKey, epoch, "PX", 3_000)) }
  }

  @Test func `1,000 who ask at once cost one look-up, also where there is nothing`() async throws {
    let server = try RedisServerProcess()
    let edge = try Self.quiet(server)
    let id = try stream()
    try await Self.write(edge, id, owner: "one", epoch: 3)
    for (stream, owner) in [(id, "one"), (try stream("w2/main"), nil)] {
      let before = try Self.commands(server, "type")
      let owners = await withTaskGroup(of: String?.self) { group in
        for _ in 1...1_000 {
          group.addTask { try? await edge.cluster.directory.owner(of: stream)?.node.text }
        }
        return await group.reduce(into: [String?]()) { $0.append($1) }
      }
      #expect(owners.allSatisfy { $0 == owner })
      #expect(try Self.commands(server, "type") == before + 1)
    }
  }

  @Test func `that there is no owner is believed for a while, not for ever`() async throws {
    let server = try RedisServerProcess()
    let edge = try Self.quiet(server) { $0.absentAge = .milliseconds(50) }
    let id = try stream()
    #expect(try await edge.cluster.directory.owner(of: id) == nil)
    try await Self.write(edge, id, owner: "one", epoch: 1)
    try await wait { try await edge.cluster.directory.owner(of: id)?.node.text == "one" }
  }

  @Test func `while Redis is away what was known is the answer, at once`() async throws {
    let server = try RedisServerProcess()
    let edge = try Self.quiet(server) { $0.directoryAge = .zero }
    let id = try stream()
    try await Self.write(edge, id, owner: "one", epoch: 3)
    #expect(try await edge.cluster.directory.owner(of: id)?.epoch == 3)
    // It takes everything and answers nothing: nobody may wait for it who can be answered.
    try server.pause()
    for _ in 1...100 {
      #expect(try await edge.cluster.directory.owner(of: id)?.node.text == "one")
    }
    server.kill()
    for await state in edge.redis.changes { if case .lost = state { break } }
    let unknown = try stream("w2/main")
    await #expect(throws: ClusterError.self) { try await edge.cluster.directory.owner(of: unknown) }
    #expect(try await edge.cluster.directory.owner(of: id)?.node.text == "one")
    // Viewers of what is not known are sent where a publisher would have been.
    #expect(await edge.cluster.locate(unknown) == nil)
  }

  @Test func `a Redis that has just not answered is not waited for again`() async throws {
    let server = try RedisServerProcess()
    let edge = try Self.quiet(server, silence: .seconds(1))
    #expect(try await edge.cluster.directory.owner(of: try stream()) == nil)
    try server.pause()
    for number in 2...50 {
      let id = try stream("w\(number)/main")
      await #expect(throws: ClusterError.self) { try await edge.cluster.directory.owner(of: id) }
    }
    #expect(edge.metric("wedlive_cluster_lookups_total{result=\"failed\"}") == 1)
    // What is known, if only that there was nothing, is the answer meanwhile.
    #expect(try await edge.cluster.directory.owner(of: try stream()) == nil)
  }

  @Test func `an owner that Redis has forgotten stays the owner until it can say so`() async throws
  {
    let server = try RedisServerProcess()
    let edge = try Self.quiet(server) {
      $0.directoryAge = .zero
      $0.lease = .seconds(2)
    }
    let id = try stream()
    try await Self.write(edge, id, owner: "one", epoch: 5)
    #expect(try await edge.cluster.directory.owner(of: id)?.epoch == 5)
    try await edge.redis.send(RedisCommand("FLUSHALL"))
    // The first answer is what was known; it is looked up beside that.
    let before = edge.metric(Self.lookedUp)
    try await wait {
      _ = try await edge.cluster.directory.owner(of: id)
      return edge.metric(Self.lookedUp) > before + 1
    }
    for _ in 1...3 { #expect(try await edge.cluster.directory.owner(of: id)?.epoch == 5) }
    try await Self.write(edge, id, owner: "two", epoch: 1)
    for _ in 1...3 { #expect(try await edge.cluster.directory.owner(of: id)?.epoch == 5) }
    #expect(edge.cluster.directory.isStale(1, of: id, toldAt: "a:1"))
    // Where it doesn't say so within a lease's time, the new one is right.
    try await wait { try await edge.cluster.directory.owner(of: id)?.node.text == "two" }
    #expect(!edge.cluster.directory.isStale(1, of: id, toldAt: "a:1"))
  }

  @Test func `a record that was spoiled leaves what was known`() async throws {
    let server = try RedisServerProcess()
    let edge = try Self.quiet(server) { $0.directoryAge = .zero }
    let id = try stream()
    try await Self.write(edge, id, owner: "one", epoch: 5)
    _ = try await edge.cluster.directory.owner(of: id)
    try await edge.redis.send(RedisCommand("HSET", id.key, "epoch", "many"))
    _ = try await edge.cluster.directory.owner(of: id)
    try await wait {
      edge.metric("wedlive_cluster_refused_records_total{kind=\"stream\"}") > 0
    }
    #expect(try await edge.cluster.directory.owner(of: id)?.epoch == 5)
  }

  @Test func `new heads are known by their events`() async throws {
    let server = try RedisServerProcess()
    var configuration = TestNode.quick
    configuration.directoryAge = .seconds(600)
    let one = try TestNode("one", server)
    let edge = try TestNode("edge", server, configuration: configuration, role: .edge)
    let id = try stream()
    let lease = try #require(try await one.cluster.leases.claim(id) { _ in }.lease)
    try await one.cluster.leases.publish(StreamHead(sequence: 1), of: lease)
    try await wait { try await edge.cluster.directory.owner(of: id)?.head?.sequence == 1 }
    // Events of before are on their way still: let them pass.
    try await one.cluster.leases.publish(StreamHead(sequence: 2), of: lease)
    try await wait { try await edge.cluster.directory.owner(of: id)?.head?.sequence == 2 }
    let before = edge.metric(Self.lookedUp)
    for sequence in 3...20 {
      try await one.cluster.leases.publish(StreamHead(sequence: Int64(sequence)), of: lease)
    }
    try await wait { edge.cluster.directory.known(id)?.head?.sequence == 20 }
    #expect(edge.metric(Self.lookedUp) == before)
  }

  @Test func `no more streams are remembered than may be, the last used ones`() async throws {
    let server = try RedisServerProcess()
    let edge = try Self.quiet(server) { $0.directoryEntries = 64 }
    let kept = try stream("kept/main")
    try await Self.write(edge, kept, owner: "one", epoch: 1)
    for number in 1...300 {
      _ = try await edge.cluster.directory.owner(of: try stream("w\(number)/main"))
      _ = try await edge.cluster.directory.owner(of: kept)
    }
    #expect(edge.cluster.directory.known(kept) != nil)
    let before = try Self.commands(server, "type")
    for number in 270...300 {
      _ = try await edge.cluster.directory.owner(of: try stream("w\(number)/main"))
    }
    #expect(try Self.commands(server, "type") == before)
    _ = try await edge.cluster.directory.owner(of: try stream("w1/main"))
    #expect(try Self.commands(server, "type") == before + 1)
  }
}

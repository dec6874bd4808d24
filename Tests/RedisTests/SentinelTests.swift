import BlockingSupport
import RedisSupport
import Redis
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Redis primaries` {
  /// A primary, a replica that has all its data, and a Sentinel that knows both.
  private struct Cluster {
    let primary: RedisServerProcess
    let replica: RedisServerProcess
    let sentinel: RedisServerProcess

    init() async throws {
      primary = try RedisServerProcess(settings: ["--repl-diskless-sync-delay", "0"])
      replica = try await Cluster.replica(of: primary)
      sentinel = try RedisServerProcess(sentinelOf: primary.port)
      let (sentinel, name) = (sentinel, "\(replica.port)")
      try await wait { try sentinel.ask("SENTINEL", "REPLICAS", "main").contains(name) }
    }

    static func replica(of primary: RedisServerProcess) async throws -> RedisServerProcess {
      let replica = try RedisServerProcess(
        settings: ["--replicaof", "127.0.0.1 \(primary.port)"])
      try await wait { try primary.ask("INFO", "replication").contains("state=online") }
      return replica
    }

    func configuration(_ sentinels: String? = nil) throws -> RedisConfiguration {
      try primary.configuration(
        "redis+sentinel://\(sentinels ?? "127.0.0.1:\(sentinel.port)")/main")
    }
  }

  @Test func `a replica isn't taken for a primary, before it is one`() async throws {
    let primary = try RedisServerProcess(settings: ["--repl-diskless-sync-delay", "0"])
    let replica = try await Cluster.replica(of: primary)
    let client = try RedisClient(try replica.configuration())
    for await state in client.changes {
      if case .lost(let loss) = state {
        #expect(loss == .notPrimary("replica"))
        break
      }
    }
    #expect(try replica.ask("REPLICAOF", "NO", "ONE") == "OK\n")
    #expect(try await client.send(RedisCommand("SET", "a", "1")).text == "OK")
  }

  @Test func `a primary that dies is followed by the one that Sentinel makes`() async throws {
    let cluster = try await Cluster()
    // The first Sentinel is not there; the second one knows.
    let gone = try RedisServerProcess.freePort()
    let client = try RedisClient(
      try cluster.configuration("127.0.0.1:\(gone),127.0.0.1:\(cluster.sentinel.port)"))
    try await client.send(RedisCommand("SET", "a", "kept"))
    try await client.send(RedisCommand("WAIT", 1, 0))
    var events = client.subscribe("c").makeAsyncIterator()
    #expect(try await events.next() == .joined)
    cluster.primary.kill()
    // What can be retried is, until the new primary is there.
    try await wait {
      do {
        return try await client.send(RedisCommand("SET", "b", "new")).text == "OK"
      } catch RedisError.lost {
        return false
      }
    }
    #expect(try await client.send(RedisCommand("GET", "a")).text == "kept")
    guard case .connected(let server, _) = client.state else {
      Issue.record("\(client.state)")
      return
    }
    #expect(server.address == "127.0.0.1:\(cluster.replica.port)")
    #expect(try await events.next() == .missed(.reconnected))
    try await client.send(RedisCommand("PUBLISH", "c", "x"))
    #expect(try await events.next() == .message(channel: "c", payload: [0x78]))
  }

  @Test func `a primary that Sentinel replaces while it lives is left`() async throws {
    let cluster = try await Cluster()
    let client = try RedisClient(try cluster.configuration())
    try await client.send(RedisCommand("SET", "a", "1"))
    // Refused for as long as it has not asked the replica how it is.
    try await wait { try cluster.sentinel.ask("SENTINEL", "FAILOVER", "main") == "OK\n" }
    for await state in client.changes {
      if case .connected(let server, _) = state,
        server.address == "127.0.0.1:\(cluster.replica.port)"
      {
        break
      }
    }
    #expect(try await client.send(RedisCommand("SET", "a", "2")).text == "OK")
  }

  @Test func `a primary that hangs is left for the one that Sentinel makes`() async throws {
    let cluster = try await Cluster()
    var configuration = try cluster.configuration()
    // Our own patience would not end before Sentinel's.
    configuration.silenceLimit = .seconds(60)
    configuration.pingAfter = .seconds(60)
    let client = try RedisClient(configuration)
    try await client.send(RedisCommand("SET", "a", "1"))
    let changes = client.changes
    try cluster.primary.pause()
    for await state in changes {
      if case .connected(let server, _) = state,
        server.address == "127.0.0.1:\(cluster.replica.port)"
      {
        break
      }
    }
    cluster.primary.resume()
    #expect(try await client.send(RedisCommand("SET", "a", "2")).text == "OK")
  }

  @Test func `a name that no Sentinel knows is told`() async throws {
    let cluster = try await Cluster()
    var configuration = try cluster.configuration()
    configuration.address = try RedisAddress(
      "redis+sentinel://127.0.0.1:\(cluster.sentinel.port)/other")
    configuration.reconnectPatience = .milliseconds(500)
    let client = try RedisClient(configuration)
    for await state in client.changes { if case .lost = state { break } }
    await #expect(throws: RedisError.notConnected(.noPrimary("other"))) {
      try await client.send(RedisCommand("PING"), deadline: .seconds(60))
    }
  }
}

import BlockingSupport
import Redis
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Secrets that nodes share` {
  private func secrets(
    _ server: RedisServerProcess, _ secret: String = "the cluster's", slot: Int64 = 100
  ) throws -> SharedSecrets {
    SharedSecrets(
      try RedisClient(try server.configuration()), secret: Array(secret.utf8), bytes: 80,
      slotSeconds: slot, kept: 3, deadline: .seconds(20))
  }

  @Test func `all nodes have the same, whoever comes first`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try secrets(server), try secrets(server))
    async let first = one.moment(at: 1_005)
    async let second = two.moment(at: 1_010)
    let (a, b) = (try await first, try await second)
    #expect(a.secrets == b.secrets)
    #expect(a.secrets.count == 2)
    #expect(a.secrets.allSatisfy { $0.count == 80 })
    #expect(Set(a.secrets).count == 2)
    #expect((a.validFor, b.validFor) == (95, 90))
  }

  @Test func `the next one is known before its time, and the last ones after theirs`() async throws
  {
    let server = try RedisServerProcess()
    let node = try secrets(server)
    let now = try await node.moment(at: 1_005).secrets
    let later = try await node.moment(at: 1_105).secrets
    #expect(later[0] == now[1])
    #expect(later[2] == now[0])
    let muchLater = try await node.moment(at: 1_505).secrets
    #expect(!muchLater.contains(now[0]))
    #expect(!muchLater.contains(now[1]))
  }

  @Test func `who has another secret gets none, and nobody reads them in Redis`() async throws {
    let server = try RedisServerProcess()
    let now = try await secrets(server).moment(at: 1_005).secrets
    let stranger = try secrets(server, "another")
    await #expect(throws: ClusterError.self) { try await stranger.moment(at: 1_005) }
    let reply = try await RedisClient(try server.configuration()).send(
      RedisCommand("GET", "wl:ticket:10"))
    let stored = try #require(reply.bytes)
    #expect(stored.count > 80)
    #expect(!stored.contains(now[0].prefix(16)))
  }

  @Test func `one slot's secret is no other's`() async throws {
    let server = try RedisServerProcess()
    let node = try secrets(server)
    _ = try await node.moment(at: 1_005)
    let client = try RedisClient(try server.configuration())
    let reply = try await client.send(RedisCommand("GET", "wl:ticket:11"))
    try await client.send(RedisCommand("SET", "wl:ticket:10", try #require(reply.bytes)))
    await #expect(throws: ClusterError.self) { try await node.moment(at: 1_005) }
  }

  @Test func `without Redis there is an error, not a secret`() async throws {
    let server = try RedisServerProcess()
    let node = SharedSecrets(
      try RedisClient(try server.configuration()), secret: [1], bytes: 80,
      deadline: .milliseconds(300))
    server.kill()
    await #expect(throws: ClusterError.self) { try await node.moment(at: 1_005) }
  }
}

import BlockingSupport
import RedisSupport
import Redis
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Redis client` {
  @Test func `a command has its reply`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    #expect(try await client.send(RedisCommand("SET", "a", "1")) == .status("OK"))
    #expect(try await client.send(RedisCommand("INCR", "a")) == .integer(2))
    #expect(try await client.send(RedisCommand("GET", "a")) == .bytes(Array("2".utf8)))
    #expect(try await client.send(RedisCommand("GET", "nothing")).isNull)
    await client.close()
  }

  @Test func `bytes of any kind come back as they were`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let value = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) } + Array("\r\n$5\r\n".utf8)
    try await client.send(RedisCommand("SET", "key\r\n with spaces", value))
    #expect(try await client.send(RedisCommand("GET", "key\r\n with spaces")).bytes == value)
  }

  @Test func `many commands of many tasks are under way on one connection`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let replies = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
      for number in 0..<500 {
        group.addTask {
          (number, try await client.send(RedisCommand("ECHO", "\(number)")).text)
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    #expect(replies == Dictionary(uniqueKeysWithValues: (0..<500).map { ($0, "\($0)") }))
    let info = try #require(try await client.send(RedisCommand("INFO", "clients")).text)
    #expect(info.contains("connected_clients:1\r\n"))
  }

  @Test func `a pipeline has a reply for each command, errors too`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let replies = try await client.pipeline([
      RedisCommand("SET", "a", "x"), RedisCommand("INCR", "a"), RedisCommand("GET", "a"),
    ])
    #expect(replies.count == 3)
    #expect(replies[0] == .status("OK"))
    #expect(replies[1].error?.kind == "ERR")
    #expect(replies[2].text == "x")
    #expect(try await client.pipeline([]).isEmpty)
  }

  @Test func `the server's own words say what was wrong`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(RedisCommand("SET", "a", "x"))
    let error = await #expect(throws: RedisError.self) {
      try await client.send(RedisCommand("LPUSH", "a", "1"))
    }
    guard case .refused(let words) = error else { throw try #require(error) }
    #expect(words.kind == "WRONGTYPE")
    #expect(error?.canRetry == false)
    #expect(error?.mayHaveRun == false)
  }

  @Test func `a transaction is run whole or not at all`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let replies = try await client.transaction([
      RedisCommand("SET", "a", 5), RedisCommand("INCRBY", "a", 2),
    ])
    #expect(replies == [.status("OK"), .integer(7)])
    await #expect(throws: RedisError.self) {
      try await client.transaction([RedisCommand("SET", "a", 0), RedisCommand("NOSUCH")])
    }
    #expect(try await client.send(RedisCommand("GET", "a")).integer == 7)
  }

  @Test func `a script is sent once and named afterwards`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let script = RedisScript("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")
    for round in 1...2 {
      let reply = try await client.run(script, keys: ["n"], arguments: ["x"])
      #expect(reply.array?.map(\.text) == ["n", "x", nil])
      #expect(reply.array?.last?.integer == Int64(round))
    }
    let exists = try await client.send(RedisCommand("SCRIPT", "EXISTS", script.digest))
    #expect(exists == .array([.integer(1)]))
    // A server that has forgotten it gets it again.
    try await client.send(RedisCommand("SCRIPT", "FLUSH"))
    #expect(try await client.run(script, keys: ["n"], arguments: ["x"]).array?.count == 3)
  }

  @Test func `a Unix socket and another database serve as well`() async throws {
    let server = try RedisServerProcess()
    let text = "unix://\(server.folder)/redis.sock?db=3"
    let client = try RedisClient(try server.configuration(text))
    try await client.send(RedisCommand("SET", "where", "three"))
    let other = try RedisClient(try server.configuration("redis://localhost:\(server.port)/3"))
    #expect(try await other.send(RedisCommand("GET", "where")).text == "three")
    let first = try RedisClient(try server.configuration())
    #expect(try await first.send(RedisCommand("GET", "where")).isNull)
  }

  @Test func `a user with a password is let in, a wrong password is told`() async throws {
    let server = try RedisServerProcess(
      settings: RedisServerProcess.acl("wedlive on >s:e/c@t ~wl:* &* +@all -@dangerous"))
    let right = try server.configuration("redis://wedlive:s%3Ae%2Fc%40t@127.0.0.1:\(server.port)")
    let client = try RedisClient(right)
    #expect(try await client.send(RedisCommand("SET", "wl:a", "1")) == .status("OK"))
    let refusal = await #expect(throws: RedisError.self) {
      try await client.send(RedisCommand("SET", "other", "1"))
    }
    guard case .refused(let words) = refusal else { throw try #require(refusal) }
    #expect(words.kind == "NOPERM")

    var wrong = try server.configuration("redis://wedlive:guess@127.0.0.1:\(server.port)")
    wrong.reconnectPatience = .milliseconds(200)
    let stranger = try RedisClient(wrong)
    for await state in stranger.changes { if case .lost = state { break } }
    let error = await #expect(throws: RedisError.self) {
      try await stranger.send(RedisCommand("GET", "wl:a"))
    }
    guard case .notConnected(.refused(let why)) = error else { throw try #require(error) }
    #expect(why.kind == "WRONGPASS")
    #expect(!"\(try #require(error))".contains("guess"))
  }
}

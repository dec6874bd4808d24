import BlockingSupport
import RedisSupport
import Redis
import Telemetry
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Redis connections that are lost` {
  @Test func `a server that is killed and comes back is found again`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(RedisCommand("SET", "a", "1"))
    let changes = client.changes
    server.kill()
    for await state in changes { if case .lost = state { break } }
    try server.start()
    // Waits for the connection; the new server is empty.
    #expect(try await client.send(RedisCommand("GET", "a")).isNull)
    guard case .connected(let found, let number) = client.state else {
      Issue.record("\(client.state)")
      return
    }
    #expect(number == 2)
    #expect(found.address == "127.0.0.1:\(server.port)")
    #expect(found.role == "master")
    #expect(found.version.contains("."))
  }

  @Test func `a command whose connection is lost may have been run, and isn't sent again`()
    async throws
  {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(RedisCommand("PING"))
    try server.pause()
    let sent = Task { try await client.send(RedisCommand("INCR", "n")) }
    // The kernel has the bytes once the socket's queue is counted as sent.
    try await sentByNow(server)
    server.kill()
    let error = await #expect(throws: RedisError.self) { try await sent.value }
    #expect(error?.mayHaveRun == true)
    #expect(error?.canRetry == true)
    guard case .lost = error else { throw try #require(error) }
    // Who reads the log wants to know which Redis it was.
    for await state in client.changes {
      guard case .lost(let loss) = state, case .unreachable = loss else { continue }
      #expect("\(loss)".hasPrefix("127.0.0.1:\(server.port) can't be reached: "))
      break
    }
    try server.start()
    #expect(try await client.send(RedisCommand("GET", "n")).isNull)
  }

  /// Waits until the server's socket holds bytes that nobody reads.
  private func sentByNow(_ server: RedisServerProcess) async throws {
    try await wait { try SocketTable.hasUnreadBytes(port: server.port) }
  }

  @Test func `a server that is stopped where it stands is left, and found again when it goes on`()
    async throws
  {
    let server = try RedisServerProcess()
    var configuration = try server.configuration()
    configuration.silenceLimit = .milliseconds(200)
    configuration.pingAfter = .milliseconds(100)
    _ = try server.ask("SET", "a", "1")
    let client = try server.client(configuration)
    let changes = client.changes
    try server.pause()
    for await state in changes {
      guard case .lost(let loss) = state, case .silent = loss else { continue }
      #expect("\(loss)" == "127.0.0.1:\(server.port) doesn't answer any more")
      break
    }
    server.resume()
    // A busy machine is as silent, now and then.
    try await wait {
      do {
        return try await client.send(RedisCommand("GET", "a")).text == "1"
      } catch RedisError.lost(.silent, _) {
        return false
      }
    }
  }

  @Test func `a deadline gives the reply up and leaves the others theirs`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(RedisCommand("PING"))
    try server.pause()
    let error = await #expect(throws: RedisError.self) {
      try await client.send(RedisCommand("ECHO", "late"), deadline: .milliseconds(50))
    }
    #expect(error == .timedOut(mayHaveRun: true))
    async let later = client.send(RedisCommand("ECHO", "later"))
    server.resume()
    #expect(try await later.text == "later")
  }

  @Test func `a cancelled task is let go at once`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(RedisCommand("PING"))
    try server.pause()
    let task = Task { try await client.send(RedisCommand("INCR", "n")) }
    try await sentByNow(server)
    task.cancel()
    await #expect(throws: RedisError.cancelled(mayHaveRun: true)) { try await task.value }
    server.resume()
    #expect(try await client.send(RedisCommand("GET", "n")).integer == 1)
  }

  @Test func `while there is no server commands fail, soon at once, and say why`() async throws {
    let port = try RedisServerProcess.freePort()
    var configuration = RedisConfiguration(try RedisAddress("redis://127.0.0.1:\(port)"))
    configuration.reconnectPatience = .milliseconds(300)
    let client = try RedisClient(configuration)
    for await state in client.changes { if case .lost = state { break } }
    for _ in 0..<2 {
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RedisCommand("PING"), deadline: .seconds(60))
      }
      guard case .notConnected(.unreachable) = error else { throw try #require(error) }
      #expect(error?.mayHaveRun == false)
    }
    // A server that comes later is found.
    let server = try RedisServerProcess(port: port)
    for await state in client.changes { if state.isConnected { break } }
    #expect(try await client.send(RedisCommand("PING")).text == "PONG")
    server.kill()
  }

  @Test func `no more wait than may, by number and by bytes`() async throws {
    let server = try RedisServerProcess()
    var configuration = try server.configuration()
    configuration.waitingCommands = 3
    configuration.waitingBytes = 2_000
    configuration.commandBytes = 1_500
    let client = try RedisClient(configuration)
    try await client.send(RedisCommand("PING"))
    try server.pause()
    await #expect(throws: RedisError.tooManyWaiting) {
      try await client.pipeline(Array(repeating: RedisCommand("PING"), count: 4))
    }
    let large = String(repeating: "x", count: 1_200)
    async let first = client.send(RedisCommand("ECHO", large))
    try await sentByNow(server)
    await #expect(throws: RedisError.tooManyWaiting) {
      try await client.send(RedisCommand("ECHO", large))
    }
    let error = await #expect(throws: RedisError.self) {
      try await client.send(RedisCommand("ECHO", large + large))
    }
    guard case .tooLarge = error else { throw try #require(error) }
    server.resume()
    #expect(try await first.text == large)
    // There is room again.
    #expect(try await client.send(RedisCommand("ECHO", large)).text == large)
  }

  @Test func `what waits when the client is closed is told so`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(RedisCommand("PING"))
    try server.pause()
    let waiting = Task { try await client.send(RedisCommand("PING")) }
    try await sentByNow(server)
    await client.close()
    await #expect(throws: RedisError.lost(.closed, mayHaveRun: true)) { try await waiting.value }
    await #expect(throws: RedisError.closed) { try await client.send(RedisCommand("PING")) }
    #expect(client.state == .closed)
    var states: [RedisState] = []
    for await state in client.changes { states.append(state) }
    #expect(states == [.closed])
  }

  @Test func `commands, connections and losses are counted`() async throws {
    let server = try RedisServerProcess()
    let registry = MetricRegistry()
    let client = try RedisClient(try server.configuration(), metrics: registry)
    try await client.send(RedisCommand("PING"))
    _ = try? await client.send(RedisCommand("NOSUCH"))
    let changes = client.changes
    server.kill()
    for await state in changes { if case .lost = state { break } }
    let text = String(decoding: registry.text(), as: UTF8.self)
    #expect(text.contains("wedlive_redis_connections_total 1\n"))
    #expect(text.contains("wedlive_redis_commands_total{result=\"answered\"} 2\n"))
    #expect(text.contains("wedlive_redis_losses_total{reason=\"closed_by_server\"} 1\n"))
    #expect(text.contains("wedlive_redis_connected 0\n"))
    #expect(text.contains("wedlive_redis_waiting_commands 0\n"))
  }
}

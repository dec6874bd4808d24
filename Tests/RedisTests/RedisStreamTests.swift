import BlockingSupport
import RedisSupport
import Redis
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Redis streams that are followed` {
  private static func number(_ event: RedisStreamFollower.Event?) -> String? {
    if case .entry(let entry) = event { entry["n"] } else { nil }
  }

  private static func add(_ client: RedisClient, _ number: Int, id: String = "*") -> RedisCommand {
    RedisCommand("XADD", "s", id, "n", number)
  }

  @Test func `entries come in order, old ones and new ones`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    _ = try await client.pipeline((1...600).map { Self.add(client, $0) })
    var events = client.follow("s", after: .beginning).makeAsyncIterator()
    for number in 1...600 { #expect(Self.number(try await events.next()) == "\(number)") }
    async let next = events.next()
    try await client.send(Self.add(client, 601))
    #expect(Self.number(try await next) == "601")
  }

  @Test func `only new entries come where that is wanted`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(Self.add(client, 1))
    let task = Task {
      for try await event in client.follow("s", after: nil) { return Self.number(event) }
      return nil
    }
    // Blocked at the server: it has its position by then.
    try await wait {
      try #require(try await client.send(RedisCommand("CLIENT", "LIST")).text).contains("cmd=xread")
    }
    try await client.send(Self.add(client, 2))
    #expect(try await task.value == "2")
  }

  @Test func `a lost connection loses no entry`() async throws {
    let server = try RedisServerProcess(settings: [
      "--appendonly", "yes", "--appendfsync", "always",
    ])
    let client = try RedisClient(try server.configuration())
    var events = client.follow("s", after: .beginning).makeAsyncIterator()
    try await client.send(Self.add(client, 1))
    #expect(Self.number(try await events.next()) == "1")
    try await client.send(Self.add(client, 2))
    server.kill()
    try server.start()
    try await client.send(Self.add(client, 3))
    #expect(Self.number(try await events.next()) == "2")
    #expect(Self.number(try await events.next()) == "3")
  }

  @Test func `a server that comes back empty is told, and read from the start`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(Self.add(client, 1))
    var events = client.follow("s", after: .beginning).makeAsyncIterator()
    #expect(Self.number(try await events.next()) == "1")
    server.kill()
    try server.start()
    #expect(try await events.next() == .missed(.replaced))
    // An id that is long before the old one's.
    try await client.send(Self.add(client, 2, id: "5-0"))
    #expect(Self.number(try await events.next()) == "2")
  }

  @Test func `what was trimmed away meanwhile is told`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let first = try await client.send(Self.add(client, 1))
    _ = try await client.pipeline((2...5).map { Self.add(client, $0) })
    try await client.send(RedisCommand("XTRIM", "s", "MAXLEN", 2))
    let id = try #require(first.text.flatMap(RedisStreamID.init))
    var events = client.follow("s", after: id).makeAsyncIterator()
    #expect(try await events.next() == .missed(.trimmed))
    #expect(Self.number(try await events.next()) == "4")
    #expect(Self.number(try await events.next()) == "5")
  }

  @Test func `a key that isn't a stream ends it`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    try await client.send(RedisCommand("SET", "s", "x"))
    var events = client.follow("s", after: .beginning).makeAsyncIterator()
    let error = await #expect(throws: RedisError.self) { try await events.next() }
    guard case .refused(let words) = error else { throw try #require(error) }
    #expect(words.kind == "WRONGTYPE")
  }

  @Test func `a follower's connection ends with it, and with its client`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let task = Task { for try await _ in client.follow("s", after: nil) {} }
    func connections() async throws -> Int {
      let list = try #require(try await client.send(RedisCommand("CLIENT", "LIST")).text)
      return list.split(separator: "\n").count
    }
    try await wait { try await connections() == 2 }
    task.cancel()
    try await task.value
    try await wait { try await connections() == 1 }
    let second = Task { for try await _ in client.follow("s", after: nil) {} }
    try await wait { try await connections() == 2 }
    await client.close()
    try await second.value
  }
}

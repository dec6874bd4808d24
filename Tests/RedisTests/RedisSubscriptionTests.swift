import BlockingSupport
import RedisSupport
import Foundation
import Redis
import Synchronization
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Redis subscriptions` {
  private static func message(_ channel: String, _ text: String) -> RedisSubscription.Event {
    .message(channel: channel, payload: Array(text.utf8))
  }

  @Test func `messages come once it has joined`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    var events = client.subscribe("a", "b").makeAsyncIterator()
    #expect(try await events.next() == .joined)
    try await client.send(RedisCommand("PUBLISH", "a", "1"))
    try await client.send(RedisCommand("PUBLISH", "b", "2"))
    try await client.send(RedisCommand("PUBLISH", "c", "3"))
    try await client.send(RedisCommand("PUBLISH", "a", "4"))
    #expect(try await events.next() == Self.message("a", "1"))
    #expect(try await events.next() == Self.message("b", "2"))
    #expect(try await events.next() == Self.message("a", "4"))
    await client.close()
    #expect(try await events.next() == nil)
  }

  @Test func `each subscriber has its channels, over one connection`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    var first = client.subscribe("a").makeAsyncIterator()
    #expect(try await first.next() == .joined)
    var second = client.subscribe("a", "b").makeAsyncIterator()
    #expect(try await second.next() == .joined)
    try await client.send(RedisCommand("PUBLISH", "b", "1"))
    try await client.send(RedisCommand("PUBLISH", "a", "2"))
    #expect(try await first.next() == Self.message("a", "2"))
    #expect(try await second.next() == Self.message("b", "1"))
    #expect(try await second.next() == Self.message("a", "2"))
    let info = try #require(try await client.send(RedisCommand("INFO", "clients")).text)
    #expect(info.contains("connected_clients:2\r\n"))
  }

  @Test func `a subscription that is dropped is ended at the server`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    var kept = client.subscribe("kept").makeAsyncIterator()
    #expect(try await kept.next() == .joined)
    do {
      var dropped = client.subscribe("kept", "dropped").makeAsyncIterator()
      #expect(try await dropped.next() == .joined)
      let numbers = try await client.send(RedisCommand("PUBSUB", "NUMSUB", "dropped"))
      #expect(numbers.array?.last == .integer(1))
    }
    try await wait {
      let numbers = try await client.send(RedisCommand("PUBSUB", "NUMSUB", "kept", "dropped"))
      #expect(numbers["kept"] == .integer(1))
      return numbers["dropped"] == .integer(0)
    }
    // And it can be had again.
    var again = client.subscribe("dropped").makeAsyncIterator()
    #expect(try await again.next() == .joined)
  }

  @Test func `a channel that is dropped and wanted again at once has joined when it says so`()
    async throws
  {
    @Sendable func answer(_ words: String...) -> String {
      "*3\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }
    let joined = answer("subscribe", "a", "1")
    let received = Mutex("")
    let peer = try await ScriptedPeer { _, text in
      if text.contains("HELLO") { return [Array(ScriptedPeer.greeting.utf8)] }
      if text.contains("other") { return [Array(answer("subscribe", "other", "1").utf8)] }
      // SUBSCRIBE, UNSUBSCRIBE and SUBSCRIBE again, in however many pieces.
      let all = received.withLock { received in
        received += text
        return received
      }
      guard all.components(separatedBy: "SUBSCRIBE").count == 4 else { return [] }
      return [
        Array((joined + answer("message", "a", "early")).utf8),
        Array((answer("unsubscribe", "a", "0") + joined + answer("message", "a", "late")).utf8),
      ]
    }
    let client = try RedisClient(try peer.configuration())
    var other = client.subscribe("other").makeAsyncIterator()
    #expect(try await other.next() == .joined)
    _ = client.subscribe("a")
    var events = client.subscribe("a").makeAsyncIterator()
    #expect(try await events.next() == .joined)
    #expect(try await events.next() == Self.message("a", "late"))
  }

  @Test func `a lost connection is told, and messages come again`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    var events = client.subscribe("a").makeAsyncIterator()
    #expect(try await events.next() == .joined)
    server.kill()
    try server.start()
    #expect(try await events.next() == .missed(.reconnected))
    try await client.send(RedisCommand("PUBLISH", "a", "later"))
    #expect(try await events.next() == Self.message("a", "later"))
  }

  @Test func `a slow reader is told that it has missed messages`() async throws {
    let server = try RedisServerProcess()
    var configuration = try server.configuration()
    configuration.waitingMessages = 10
    let client = try RedisClient(configuration)
    var events = client.subscribe("a").makeAsyncIterator()
    #expect(try await events.next() == .joined)
    var other = client.subscribe("a", "end").makeAsyncIterator()
    #expect(try await other.next() == .joined)
    for number in 0..<25 { try await client.send(RedisCommand("PUBLISH", "a", number)) }
    try await client.send(RedisCommand("PUBLISH", "end", "now"))
    // The other one has read all, so all has come.
    while let event = try await other.next(), event != Self.message("end", "now") {}
    #expect(try await events.next() == .missed(.tooSlow))
    var last: RedisSubscription.Event?
    for _ in 0..<10 {
      last = try await events.next()
      if last == Self.message("a", "24") { break }
    }
    #expect(last == Self.message("a", "24"))
  }

  @Test func `a channel that the user may not have is refused`() async throws {
    let server = try RedisServerProcess(
      settings: RedisServerProcess.acl("u on >p ~* &mine +@all"))
    let client = try RedisClient(
      try server.configuration("redis://u:p@127.0.0.1:\(server.port)"))
    var mine = client.subscribe("mine").makeAsyncIterator()
    #expect(try await mine.next() == .joined)
    var others = client.subscribe("mine", "others").makeAsyncIterator()
    let error = await #expect(throws: RedisError.self) { try await others.next() }
    guard case .refused(let words) = error else { throw try #require(error) }
    #expect(words.kind == "NOPERM")
    try await client.send(RedisCommand("PUBLISH", "mine", "x"))
    #expect(try await mine.next() == Self.message("mine", "x"))
  }

  @Test func `a cancelled reader ends`() async throws {
    let server = try RedisServerProcess()
    let client = try RedisClient(try server.configuration())
    let task = Task {
      var count = 0
      for try await _ in client.subscribe("a") { count += 1 }
      return count
    }
    try await wait {
      try await client.send(RedisCommand("PUBSUB", "NUMSUB", "a"))["a"] == .integer(1)
    }
    task.cancel()
    #expect(try await task.value <= 1)
  }
}

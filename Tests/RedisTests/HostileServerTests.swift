import BlockingSupport
import Redis
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Hostile Redis servers` {
  /// What a server may answer to a command, and what the connection is then lost for.
  static let answers: [(String, [[UInt8]], String)] = [
    ("an array without end", [Array("*1000000000\r\n".utf8)], "protocol"),
    ("arrays in arrays", [Array(String(repeating: "*1\r\n", count: 1_000).utf8)], "protocol"),
    ("a wrong type", [Array("@what\r\n".utf8)], "protocol"),
    ("RESP3", [Array("%1\r\n+a\r\n:1\r\n".utf8)], "protocol"),
    ("HTTP", [Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)], "protocol"),
    (
      "4 GiB",
      [Array("$4294967296\r\n".utf8)]
        + Array(repeating: [UInt8](repeating: 0x61, count: 60_000), count: 50), "protocol"
    ),
    (
      "a line without end", Array(repeating: [UInt8](repeating: 0x2B, count: 60_000), count: 50),
      "protocol"
    ),
    ("two replies", [Array("+OK\r\n+OK\r\n".utf8)], "protocol"),
    ("nothing", [], "silent"),
    (
      "a drip", [Array("$100000\r\n".utf8)] + Array(repeating: [0x61], count: 2_000), "silent"
    ),
  ]

  @Test(arguments: answers.indices)
  func `a bad answer costs the connection, not the client`(index: Int) async throws {
    let (_, answer, code) = Self.answers[index]
    let peer = try await ScriptedPeer { connection, text in
      if text.contains("HELLO") { return [Array(ScriptedPeer.greeting.utf8)] }
      return connection == 1 ? answer : [Array("+fine\r\n".utf8)]
    }
    var configuration = try peer.configuration()
    configuration.reply.replyBytes = 1 << 20
    if code == "silent" {
      configuration.silenceLimit = .milliseconds(300)
      configuration.replyLimit = .milliseconds(600)
      configuration.pingAfter = .seconds(60)
    }
    let client = try RedisClient(configuration)
    do {
      // Of two replies the first one is good.
      #expect(try await client.send(RedisCommand("GET", "a")) == .status("OK"))
      for await state in client.changes {
        if case .connected(_, 2) = state { break }
      }
    } catch RedisError.lost(let loss, let mayHaveRun) {
      #expect(loss.code == code)
      #expect(mayHaveRun)
    }
    guard code == "silent" else {
      #expect(try await client.send(RedisCommand("GET", "a")).text == "fine")
      #expect(peer.connections == 2)
      return
    }
    // With so little patience a busy machine may cost one that is good, too.
    try await wait {
      do {
        return try await client.send(RedisCommand("GET", "a")).text == "fine"
      } catch RedisError.lost(.silent, _) {
        return false
      }
    }
    #expect(peer.connections >= 2)
  }

  @Test(arguments: [
    "garbage\r\n", "+OK\r\n", "-ERR unknown command 'HELLO'\r\n",
    ScriptedPeer.greeting.replacing("$6\r\nmaster", with: "$7\r\nreplica"),
    "*0\r\n+PONG\r\n", ScriptedPeer.greeting + "+more\r\n",
  ])
  func `a bad greeting is tried again`(greeting: String) async throws {
    let peer = try await ScriptedPeer { connection, text in
      guard text.contains("HELLO") else { return [Array("+fine\r\n".utf8)] }
      return [Array((connection <= 2 ? greeting : ScriptedPeer.greeting).utf8)]
    }
    let client = try RedisClient(try peer.configuration())
    for await state in client.changes {
      if state.isConnected, peer.connections == 3 { break }
    }
    #expect(try await client.send(RedisCommand("GET", "a")).text == "fine")
  }

  @Test func `a server that takes the connection and says nothing is left`() async throws {
    let peer = try await ScriptedPeer { connection, text in
      guard text.contains("HELLO") else { return [Array("+fine\r\n".utf8)] }
      return connection == 1 ? [] : [Array(ScriptedPeer.greeting.utf8)]
    }
    var configuration = try peer.configuration()
    configuration.connectDeadline = .milliseconds(300)
    let client = try RedisClient(configuration)
    #expect(try await client.send(RedisCommand("GET", "a")).text == "fine")
    // A busy machine may cost one that would have said something.
    #expect(peer.connections >= 2)
  }

  @Test(arguments: [
    ("-MOVED 866 127.0.0.1:7001", false), ("-CROSSSLOT Keys in request don't hash", false),
    ("-OOM command not allowed", true), ("-BUSY Redis is busy running a script", true),
    ("-ERR \u{1B}[31mred\u{7}", false),
  ])
  func `what the server refuses is told in its words`(text: String, canRetry: Bool) async throws {
    let peer = try await ScriptedPeer { _, received in
      [Array((received.contains("HELLO") ? ScriptedPeer.greeting : text + "\r\n").utf8)]
    }
    let client = try RedisClient(try peer.configuration())
    let error = await #expect(throws: RedisError.self) {
      try await client.send(RedisCommand("GET", "a"))
    }
    #expect(error?.canRetry == canRetry)
    let words = "\(try #require(error))"
    #expect(words.contains(text.dropFirst().prefix(4)))
    #expect(!words.unicodeScalars.contains { $0.value < 0x20 })
    if text.contains("MOVED") { #expect(words.contains("Redis Cluster")) }
  }

  @Test func `a primary that has become a replica is left`() async throws {
    let peer = try await ScriptedPeer { connection, text in
      if text.contains("HELLO") { return [Array(ScriptedPeer.greeting.utf8)] }
      return [
        Array((connection == 1 ? "-READONLY You can't write\r\n" : "+OK\r\n").utf8)
      ]
    }
    let client = try RedisClient(try peer.configuration())
    let error = await #expect(throws: RedisError.self) {
      try await client.send(RedisCommand("SET", "a", "1"))
    }
    #expect(error?.canRetry == true)
    #expect(try await client.send(RedisCommand("SET", "a", "1")).text == "OK")
    #expect(peer.connections == 2)
  }
}

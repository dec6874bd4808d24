import Redis
import Testing

@Suite struct `Redis session` {
  private static let hello =
    "*8\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n"
    + "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"

  private static func session(
    _ wanted: RedisSession.Greeting.Wanted = .primary,
    _ change: (inout RedisSession.Greeting) -> Void = { _ in }
  ) throws -> RedisSession {
    var greeting = RedisSession.Greeting(wanted)
    change(&greeting)
    return try #require(
      RedisSession(greeting, address: "here:1", limits: ReplyReader.Limits()))
  }

  /// Takes bytes and returns what comes of them.
  private static func take(
    _ session: RedisSession, _ text: String
  ) throws(RedisLoss) -> [RedisSession.Event] {
    try session.receive(Array(text.utf8).span)
    var events: [RedisSession.Event] = []
    while let event = try session.next() { events.append(event) }
    return events
  }

  /// A session that is open.
  private static func open(
    _ wanted: RedisSession.Greeting.Wanted = .primary
  ) throws -> RedisSession {
    let session = try session(wanted)
    var output: [UInt8] = []
    #expect(session.start(into: &output))
    #expect(try take(session, hello + "+PONG\r\n").count == 1)
    return session
  }

  @Test func `it logs in, selects the database and asks whether the server is ready`() throws {
    let session = try Self.session {
      $0.user = "me"
      $0.password = "secret"
      $0.database = 4
      $0.clientName = "tester"
    }
    var output: [UInt8] = []
    #expect(session.start(into: &output))
    let text = String(decoding: output, as: UTF8.self)
    #expect(
      text == "*7\r\n$5\r\nHELLO\r\n$1\r\n2\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\nsecret\r\n"
        + "$7\r\nSETNAME\r\n$6\r\ntester\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n4\r\n*1\r\n$4\r\nPING\r\n")
    #expect(try Self.take(session, Self.hello) == [])
    #expect(try Self.take(session, "+OK\r\n") == [])
    #expect(!session.isOpen)
    let server = RedisServer(
      address: "here:1", version: "7.0.15", role: "master", mode: "standalone")
    #expect(try Self.take(session, "+PONG\r\n") == [.opened(server)])
    #expect(session.isOpen)
    #expect(session.awaitedReplies == 0)
  }

  @Test(arguments: 0...hello.utf8.count + 6)
  func `the greeting may come in two pieces`(cut: Int) throws {
    let session = try Self.session()
    var output: [UInt8] = []
    #expect(session.start(into: &output))
    let bytes = Array((Self.hello + "+PONG\r\n").utf8)
    var events = try Self.take(session, String(decoding: bytes[..<cut], as: UTF8.self))
    events += try Self.take(session, String(decoding: bytes[cut...], as: UTF8.self))
    #expect(events.count == 1)
  }

  @Test(arguments: [
    ("-WRONGPASS invalid username-password pair\r\n", "refused"),
    ("-NOAUTH HELLO must be called with the client already authenticated\r\n", "refused"),
    ("-ERR unknown command 'HELLO'\r\n", "refused"),
    ("-LOADING Redis is loading the dataset in memory\r\n", "loading"),
    ("+OK\r\n", "protocol"), (":1\r\n", "protocol"), ("*1\r\n:1\r\n", "protocol"),
    (hello.replacing("$6\r\nmaster", with: "$7\r\nreplica"), "not_primary"),
    (hello + "-LOADING Redis is loading\r\n", "loading"),
    (hello + "-NOAUTH Authentication required.\r\n", "refused"),
    ("HTTP/1.1 400 Bad Request\r\n", "protocol"),
  ])
  func `a server that isn't what we need is left`(answer: String, code: String) throws {
    let session = try Self.session()
    var output: [UInt8] = []
    #expect(session.start(into: &output))
    let loss = #expect(throws: RedisLoss.self) { try Self.take(session, answer) }
    #expect(loss?.code == code)
  }

  @Test func `a Sentinel has no database and may be any role`() throws {
    let session = try Self.session(.sentinel) { $0.database = 3 }
    var output: [UInt8] = []
    #expect(session.start(into: &output))
    #expect(!String(decoding: output, as: UTF8.self).contains("SELECT"))
    let hello = "*2\r\n$4\r\nmode\r\n$8\r\nsentinel\r\n"
    let server = RedisServer(address: "here:1", version: "", role: "sentinel", mode: "sentinel")
    #expect(try Self.take(session, hello + "+PONG\r\n") == [.opened(server)])
  }

  @Test func `replies belong to commands in their order`() throws {
    let session = try Self.open()
    var output: [UInt8] = []
    for number in 1...3 as ClosedRange<UInt64> {
      #expect(session.send(RedisCommand("GET", "a"), as: number, into: &output))
    }
    #expect(session.ping(into: &output))
    #expect(session.awaitedReplies == 4)
    let events = try Self.take(session, "$1\r\nx\r\n-ERR no\r\n*1\r\n$7\r\nmessage\r\n+PONG\r\n")
    #expect(
      events == [
        .replied(1, .bytes([0x78])), .replied(2, .error(RedisServerError("ERR no"))),
        .replied(3, .array([.bytes(Array("message".utf8))])), .ponged,
      ])
  }

  @Test func `thousands of replies leave nothing behind`() throws {
    let session = try Self.open()
    for number in 0..<5_000 as Range<UInt64> {
      var output: [UInt8] = []
      #expect(session.send(RedisCommand("PING"), as: number, into: &output))
      #expect(try Self.take(session, "+PONG\r\n") == [.replied(number, .status("PONG"))])
    }
    #expect(session.awaitedReplies == 0)
  }

  @Test func `a reply that nothing was asked for is no reply`() throws {
    let session = try Self.open()
    let loss = #expect(throws: RedisLoss.self) { try Self.take(session, "+OK\r\n") }
    #expect(loss?.code == "protocol")
  }

  @Test func `messages come between replies`() throws {
    let session = try Self.open(.messages)
    var output: [UInt8] = []
    #expect(session.subscribe("a", into: &output))
    #expect(session.subscribe("b", into: &output))
    #expect(session.ping(into: &output))
    let message = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
    let joined = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    let events = try Self.take(
      session, joined + message + "-NOPERM no\r\n" + message + "*2\r\n$4\r\npong\r\n$0\r\n\r\n")
    let hi = RedisSession.Event.message(channel: "a", payload: Array("hi".utf8))
    #expect(
      events == [
        .subscribed("a", nil), hi, .subscribed("b", RedisServerError("NOPERM no")), hi, .ponged,
      ])
    #expect(session.unsubscribe("a", into: &output))
    #expect(try Self.take(session, "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n") == [])
    #expect(session.awaitedReplies == 0)
  }

  @Test func `the wrong answer to SUBSCRIBE ends it`() throws {
    let session = try Self.open(.messages)
    var output: [UInt8] = []
    #expect(session.subscribe("a", into: &output))
    #expect(throws: RedisLoss.self) {
      try Self.take(session, "*3\r\n$9\r\nsubscribe\r\n$1\r\nz\r\n:1\r\n")
    }
  }
}

import Redis
import Testing

@Suite struct `Reply reader` {
  static let text =
    "+OK\r\n-ERR no such\r\n:-42\r\n$5\r\nhe\r\no\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n"
    + "*3\r\n:1\r\n*2\r\n$1\r\na\r\n*1\r\n+b\r\n$-1\r\n:9223372036854775807\r\n"
  static let values: [RedisValue] = [
    .status("OK"), .error(RedisServerError("ERR no such")), .integer(-42),
    .bytes(Array("he\r\no".utf8)), .null, .null, .bytes([]), .array([]),
    .array([
      .integer(1), .array([.bytes(Array("a".utf8)), .array([.status("b")])]), .null,
    ]), .integer(.max),
  ]

  /// Feeds pieces one after the other and returns what comes of them.
  static func read(
    _ pieces: [[UInt8]], _ limits: ReplyReader.Limits = ReplyReader.Limits()
  ) throws -> [RedisValue] {
    let reader = try #require(ReplyReader(limits))
    var values: [RedisValue] = []
    for piece in pieces {
      try reader.feed(piece.span)
      while let value = try reader.next() { values.append(value) }
    }
    return values
  }

  @Test func `every kind of reply is read`() throws {
    #expect(try Self.read([Array(Self.text.utf8)]) == Self.values)
  }

  @Test(arguments: 0...text.utf8.count)
  func `a split at any byte changes nothing`(at cut: Int) throws {
    let bytes = Array(Self.text.utf8)
    #expect(try Self.read([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.values)
  }

  @Test func `byte by byte it is the same`() throws {
    #expect(try Self.read(Self.text.utf8.map { [$0] }) == Self.values)
  }

  @Test(arguments: [
    "x", "\u{0}", "HTTP/1.1 400 Bad Request\r\n", ":12a\r\n", ":\r\n", "$x\r\n", "$-2\r\n",
    "*-2\r\n", "*99999999999999999999\r\n", "%1\r\n+a\r\n+b\r\n", "~1\r\n+a\r\n", ">1\r\n+a\r\n",
    "#t\r\n", ",1.5\r\n", "_\r\n",
  ])
  func `what isn't a reply ends it`(text: String) throws {
    #expect(throws: ReplyReader.Violation.self) { try Self.read([Array(text.utf8)]) }
  }

  @Test func `after a violation nothing more is read`() throws {
    let reader = try #require(ReplyReader())
    #expect(throws: ReplyReader.Violation.self) {
      try reader.feed(Array("?\r\n".utf8).span)
      _ = try reader.next()
    }
    #expect(throws: ReplyReader.Violation.self) { try reader.feed(Array("+OK\r\n".utf8).span) }
    #expect(throws: ReplyReader.Violation.self) { try reader.next() }
  }

  static func limits(_ change: (inout ReplyReader.Limits) -> Void) -> ReplyReader.Limits {
    var limits = ReplyReader.Limits()
    change(&limits)
    return limits
  }

  @Test func `a string of 4 GiB is announced, and not waited for`() throws {
    let limits = Self.limits { $0.replyBytes = 100_000 }
    // The announcement costs nothing; the bytes are taken up to the bound.
    let head = Array("$4294967296\r\n".utf8)
    #expect(try Self.read([head], limits) == [])
    let piece = [UInt8](repeating: 0x61, count: 65_536)
    #expect(throws: ReplyReader.Violation.self) { try Self.read([head, piece, piece], limits) }
  }

  @Test func `strings that are too many bytes together are refused`() throws {
    let limits = Self.limits { $0.replyBytes = 1_000 }
    let string = "$400\r\n" + String(repeating: "a", count: 400) + "\r\n"
    #expect(try Self.read([Array("*2\r\n\(string)\(string)".utf8)], limits).count == 1)
    #expect(throws: ReplyReader.Violation.self) {
      try Self.read([Array("*3\r\n\(string)\(string)\(string)".utf8)], limits)
    }
    // A reply's bound is its own: many may follow each other.
    let many = try Self.read(Array(repeating: Array(string.utf8), count: 9), limits)
    #expect(many.count == 9)
  }

  @Test func `an array of too many values is refused before they come`() throws {
    let limits = Self.limits { $0.values = 10 }
    #expect(throws: ReplyReader.Violation.self) { try Self.read([Array("*11\r\n".utf8)], limits) }
    #expect(throws: ReplyReader.Violation.self) {
      try Self.read([Array("*2000000000\r\n".utf8)])
    }
    // Over all levels.
    let nested = "*3\r\n" + String(repeating: "*3\r\n:1\r\n:2\r\n:3\r\n", count: 3)
    #expect(throws: ReplyReader.Violation.self) { try Self.read([Array(nested.utf8)], limits) }
  }

  @Test(arguments: [7, 8, 100, 100_000])
  func `arrays in arrays are bounded`(depth: Int) throws {
    let text = Array((String(repeating: "*1\r\n", count: depth) + ":1\r\n").utf8)
    if depth <= 7 {
      #expect(try Self.read([text]).count == 1)
    } else {
      #expect(throws: ReplyReader.Violation.self) { try Self.read([text]) }
    }
  }

  @Test(arguments: ["+", "-", ":", "*", "$", "$5", "*2\r\n+"])
  func `a line without an end is refused`(start: String) throws {
    let limits = Self.limits { $0.lineBytes = 1_000 }
    let digits = [UInt8](repeating: 0x31, count: 1_100)
    #expect(throws: ReplyReader.Violation.self) {
      try Self.read([Array(start.utf8) + digits], limits)
    }
    // Nor one that has its end, so that it is the same however it is cut.
    #expect(throws: ReplyReader.Violation.self) {
      try Self.read([Array(start.utf8) + digits + [13, 10]], limits)
    }
  }

  @Test func `a large string is no long line`() throws {
    let limits = Self.limits { $0.lineBytes = 1_000 }
    let string = String(repeating: "a", count: 50_000)
    let pieces = Array("$50000\r\n\(string)\r\n".utf8)
    let cut = [Array(pieces[..<20_000]), Array(pieces[20_000...])]
    #expect(try Self.read(cut, limits).first?.text == string)
  }
}

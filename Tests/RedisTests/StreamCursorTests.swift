import Testing

@testable import Redis

@Suite struct `Stream cursor` {
  private static func id(_ number: UInt64) -> RedisStreamID {
    RedisStreamID(milliseconds: number, sequence: 0)
  }

  private static func entry(_ number: UInt64) -> RedisValue {
    .array([.status("\(number)-0"), .array([.status("n"), .status("\(number)")])])
  }

  /// What `XINFO STREAM` says of a stream that holds entries with these ids.
  private static func info(_ ids: [UInt64], last: UInt64, added: Int64?) -> RedisValue {
    var fields: [RedisValue] = [
      .status("length"), .integer(Int64(ids.count)),
      .status("last-generated-id"), .status("\(last)-0"),
      .status("first-entry"), ids.first.map(entry) ?? .null,
    ]
    if let added { fields += [.status("entries-added"), .integer(added)] }
    return .array(fields)
  }

  private static func read(_ ids: UInt64...) -> RedisValue {
    ids.isEmpty ? .null : .array([.array([.status("s"), .array(ids.map(entry))])])
  }

  private static func numbers(_ events: [StreamCursor.Event]) -> [String] {
    events.map {
      switch $0 {
      case .entry(let entry): entry["n"] ?? "?"
      case .missed(.trimmed): "trimmed"
      case .missed(.replaced): "replaced"
      }
    }
  }

  private static let missing = RedisValue.error(RedisServerError("ERR no such key"))

  @Test func `it starts behind the newest entry, whatever that is`() throws {
    var cursor = StreamCursor(key: "s", position: nil)
    #expect(cursor.commands(count: 9, block: 1).map(\.description) == ["XINFO"])
    #expect(try cursor.take([Self.info([3, 4], last: 4, added: 4)]).isEmpty)
    #expect(cursor.position == Self.id(4))
    #expect(cursor.commands(count: 9, block: 1).map(\.description) == ["XINFO", "XREAD"])
    #expect(cursor.commands(count: 9, block: 1)[1].words.last == Array("4-0".utf8))
    var empty = StreamCursor(key: "s", position: nil)
    #expect(try empty.take([Self.missing]).isEmpty)
    #expect(empty.position == .beginning)
  }

  @Test func `entries move it on`() throws {
    var cursor = StreamCursor(key: "s", position: .beginning)
    let first = try cursor.take([Self.info([1, 2, 3], last: 3, added: 3), Self.read(1, 2)])
    #expect(Self.numbers(first) == ["1", "2"])
    let second = try cursor.take([Self.info([1, 2, 3], last: 3, added: 3), Self.read(3)])
    #expect(Self.numbers(second) == ["3"])
    #expect(try cursor.take([Self.info([1, 2, 3], last: 3, added: 3), Self.read()]).isEmpty)
    #expect(cursor.position == Self.id(3))
  }

  @Test(arguments: [7, nil] as [Int64?])
  func `a stream trimmed beyond it has a gap`(added: Int64?) throws {
    var cursor = StreamCursor(key: "s", position: Self.id(2))
    let events = try cursor.take([Self.info([6, 7], last: 7, added: added), Self.read(6, 7)])
    #expect(Self.numbers(events) == ["trimmed", "6", "7"])
    #expect(try cursor.take([Self.info([6, 7], last: 7, added: added), Self.read()]).isEmpty)
  }

  @Test func `a stream trimmed up to it has none where the server counts`() throws {
    var cursor = StreamCursor(key: "s", position: Self.id(2))
    #expect(try cursor.take([Self.info([2], last: 2, added: 2), Self.read()]).isEmpty)
    let events = try cursor.take([Self.info([3], last: 3, added: 3), Self.read(3)])
    #expect(Self.numbers(events) == ["3"])
    // Two were added since and one of them is there.
    let later = try cursor.take([Self.info([5], last: 5, added: 5), Self.read(5)])
    #expect(Self.numbers(later) == ["trimmed", "5"])
  }

  @Test func `a stream that was emptied has a gap, told once`() throws {
    var cursor = StreamCursor(key: "s", position: Self.id(2))
    let events = try cursor.take([Self.info([], last: 9, added: 9), Self.read()])
    #expect(Self.numbers(events) == ["trimmed"])
    #expect(try cursor.take([Self.info([], last: 9, added: 9), Self.read()]).isEmpty)
    #expect(cursor.position == Self.id(9))
  }

  @Test func `another stream is read from its beginning`() throws {
    for state in [Self.missing, Self.info([1], last: 1, added: 1)] {
      var cursor = StreamCursor(key: "s", position: Self.id(5))
      // What was found behind the old position is not the whole of it.
      let events = try cursor.take([state, Self.read(6)])
      #expect(Self.numbers(events) == ["replaced"])
      #expect(cursor.position == .beginning)
      let next = try cursor.take([Self.info([1, 6], last: 6, added: 2), Self.read(1, 6)])
      #expect(Self.numbers(next) == ["1", "6"])
    }
  }

  @Test(arguments: [
    RedisValue.null, .integer(1), .array([.status("length"), .integer(1)]),
    .error(RedisServerError("WRONGTYPE Operation against a key")),
  ])
  func `what isn't a stream's state is refused`(reply: RedisValue) {
    var cursor = StreamCursor(key: "s", position: .beginning)
    #expect(throws: RedisError.self) { try cursor.take([reply, .null]) }
  }

  @Test(arguments: [
    RedisValue.integer(1), .array([]), .array([.array([.status("s")])]),
    .array([.array([.status("s"), .array([.integer(1)])])]),
    .array([.array([.status("s"), .array([.array([.status("x"), .array([])])])])]),
    .error(RedisServerError("NOPERM no")),
  ])
  func `what isn't a list of entries is refused`(reply: RedisValue) {
    var cursor = StreamCursor(key: "s", position: .beginning)
    #expect(throws: RedisError.self) {
      try cursor.take([Self.info([1], last: 1, added: 1), reply])
    }
  }
}

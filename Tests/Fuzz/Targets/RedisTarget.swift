import Redis

/// A session after its login, and what came of a server's bytes.
private struct RedisRun {
  private static let greeting = Array(
    "*2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n+PONG\r\n".utf8)

  var events: [RedisSession.Event] = []
  var failure: String?

  init(
    _ input: ArraySlice<UInt8>, in pieces: [Range<Int>], _ wanted: RedisSession.Greeting.Wanted
  ) throws(Finding) {
    var limits = ReplyReader.Limits()
    limits.replyBytes = 4096
    limits.values = 512
    limits.lineBytes = 256
    var greeting = RedisSession.Greeting(wanted)
    greeting.clientName = "fuzz"
    guard let session = RedisSession(greeting, address: "here", limits: limits) else {
      throw Finding("no session")
    }
    var output: [UInt8] = []
    _ = session.start(into: &output)
    take(Self.greeting, session)
    try check(session.isOpen && failure == nil, "the greeting is refused")
    // As many replies are due as the input can have, so that none comes unasked: "+\r\n".
    for number in 0..<UInt64(input.count / 3 + 1) {
      _ =
        wanted == .messages
        ? session.subscribe("a", into: &output)
        : session.send(RedisCommand("GET", "a"), as: number, into: &output)
    }
    for piece in pieces where failure == nil {
      take(Array(input.dropFirst(piece.lowerBound).prefix(piece.count)), session)
    }
    try check(events.allSatisfy(Self.isWithin), "a reply grows past its limit")
  }

  private mutating func take(_ bytes: [UInt8], _ session: RedisSession) {
    do throws(RedisLoss) {
      try session.receive(bytes.span)
      while let event = try session.next() { events.append(event) }
    } catch {
      failure = error.code
    }
  }

  private static func isWithin(_ event: RedisSession.Event) -> Bool {
    guard case .replied(_, let value) = event else { return true }
    return size(value) <= 4096
  }

  private static func size(_ value: RedisValue) -> Int {
    switch value {
    case .array(let values): values.reduce(0) { $0 + size($1) }
    case .bytes(let bytes): bytes.count
    default: 0
    }
  }
}

/// A Redis server's bytes: the same ones mean the same however they are cut, and nothing grows.
///
/// The first byte chooses between replies and messages.
func fuzzRedis(_ input: [UInt8]) throws(Finding) {
  guard let first = input.first else { return }
  var pieces = Pieces(for: input)
  let wanted: RedisSession.Greeting.Wanted = first == UInt8(ascii: "m") ? .messages : .primary
  let rest = input.dropFirst()
  let whole = try RedisRun(rest, in: [0..<rest.count], wanted)
  let cut = try RedisRun(rest, in: pieces.ranges(of: rest.count), wanted)
  try check(
    whole.events == cut.events,
    "\(whole.events.count) events, and \(cut.events.count) other ones in pieces")
  try check(
    (whole.failure == nil) == (cut.failure == nil),
    "\(whole.failure ?? "fine") in one piece, and \(cut.failure ?? "fine") in several")
}

/// How far a stream has been read, and what its server's answers say about that.
///
/// Pure: the follower sends what it asks for, and hands it the replies.
struct StreamCursor: Sendable {
  typealias Event = RedisStreamFollower.Event

  let key: String
  /// The last entry that was read; nil: whatever is the newest when it is first asked.
  private(set) var position: RedisStreamID?
  /// How many entries had ever been added up to the position, where that is known (Redis 7).
  private var ordinal: Int64?

  init(key: String, position: RedisStreamID?) {
    self.key = key
    self.position = position
  }

  /// What to send next; `take` wants the replies.
  ///
  /// - Parameters:
  ///   - count: entries at a time.
  ///   - block: how long the server waits for one, in milliseconds.
  /// - Returns: one or two commands, for one flight.
  func commands(count: Int, block: Int64) -> [RedisCommand] {
    let info = RedisCommand("XINFO", "STREAM", key)
    guard let position else { return [info] }
    let read = RedisCommand(
      "XREAD", "COUNT", count, "BLOCK", block, "STREAMS", key, position.description)
    return [info, read]
  }

  /// Reads the replies and moves on.
  ///
  /// - Returns: what came, in order; nothing where nothing did.
  /// - Throws: the server's error, or `.unexpected`.
  mutating func take(_ replies: [RedisValue]) throws(RedisError) -> [Event] {
    guard let first = replies.first else { throw .unexpected("no reply to XINFO") }
    let state = try State(first)
    guard let position else {
      self.position = state?.last ?? .beginning
      ordinal = state?.added
      return []
    }
    var events: [Event] = []
    switch gap(state, position) {
    case .replaced?:
      // What XREAD found is behind a position of the old stream: read again from the start.
      self.position = .beginning
      ordinal = 0
      return [.missed(.replaced)]
    case .trimmed?: events.append(.missed(.trimmed))
    case nil: break
    }
    if let state, position == state.last { ordinal = state.added }
    let entries = try Self.entries(replies.last ?? .null)
    events += entries.map { .entry($0) }
    if let last = entries.last {
      self.position = last.id
      ordinal = events.count == entries.count ? ordinal.map { $0 + Int64(entries.count) } : nil
    } else if let state, !events.isEmpty {
      // All that was missed is gone, and nothing has come since.
      self.position = max(position, state.last)
      ordinal = state.added
    }
    return events
  }

  private func gap(_ state: State?, _ position: RedisStreamID) -> RedisStreamFollower.Gap? {
    guard position != .beginning else { return nil }
    guard let state, state.last >= position else { return .replaced }
    if state.last == position { return nil }
    if let first = state.first, first <= position { return nil }
    // Trimming takes the oldest first. What came since fits into what is left: none is missing.
    if let ordinal, let added = state.added, added - ordinal <= state.length { return nil }
    return .trimmed
  }

  /// Reads `[[key, [entry, …]]]`, or nothing.
  private static func entries(_ reply: RedisValue) throws(RedisError) -> [RedisStreamEntry] {
    if reply.isNull { return [] }
    if case .error(let error) = reply { throw .refused(error) }
    guard let streams = reply.array, streams.count == 1, let stream = streams[0].array,
      stream.count == 2, let values = stream[1].array
    else { throw .unexpected("XREAD was answered with \(reply.kind)") }
    var entries: [RedisStreamEntry] = []
    entries.reserveCapacity(values.count)
    for value in values {
      guard let entry = RedisStreamEntry(value) else {
        throw .unexpected("an entry of \(values.count) that isn't one")
      }
      entries.append(entry)
    }
    return entries
  }

  /// What `XINFO STREAM` says.
  private struct State {
    let length: Int64
    let last: RedisStreamID
    let first: RedisStreamID?
    /// Nil before Redis 7.
    let added: Int64?

    /// Nil where there is no such stream.
    init?(_ reply: RedisValue) throws(RedisError) {
      if case .error(let error) = reply {
        guard error.words.hasPrefix("ERR no such key") else { throw .refused(error) }
        return nil
      }
      guard let fields = reply.fields, let length = fields["length"]?.integer,
        let last = fields["last-generated-id"]?.text.flatMap(RedisStreamID.init)
      else { throw .unexpected("XINFO STREAM was answered with \(reply.kind)") }
      self.length = length
      self.last = last
      first = fields["first-entry"].flatMap(RedisStreamEntry.init)?.id
      added = fields["entries-added"]?.integer
    }
  }
}

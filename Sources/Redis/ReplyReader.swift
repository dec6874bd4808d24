import CHiredis

/// Reads replies from bytes that come in any pieces; hiredis finds them, Swift builds the values.
///
/// The bytes are untrusted: no count that a reply announces is believed before its bytes are there,
/// and each bound below ends the connection. Confined to one loop.
@safe package final class ReplyReader {
  /// What one reply may have.
  package struct Limits: Equatable, Sendable {
    /// Bytes, of all its strings together and of what isn't a whole value yet.
    package var replyBytes = 16 << 20
    /// Values, over all levels.
    package var values = 1 << 20
    /// Levels of arrays; hiredis 0.14 can't read more than 7.
    package var depth = 7
    /// Bytes of a line: a status, an error, an integer or a length.
    package var lineBytes = 64 << 10

    package init() {}
  }

  /// Why bytes are no reply that we take; the state is lost, and so the connection.
  package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// An array whose values are still coming.
  private struct Level {
    var values: [RedisValue] = []
    let count: Int
  }

  private let limits: Limits
  private let raw: UnsafeMutablePointer<redisReader>
  private let sink: UnsafeMutablePointer<wl_reply_sink>
  private var levels: [Level] = []
  private var whole: RedisValue?
  private var bytesInReply = 0
  private var valuesInReply = 0
  private var violation: Violation?

  /// Makes a reader; nil when out of memory.
  package init?(_ limits: Limits = Limits()) {
    self.limits = limits
    unsafe sink = .allocate(capacity: 1)
    unsafe sink.initialize(to: wl_reply_sink())
    guard let raw = unsafe wl_reader_create(sink) else {
      unsafe sink.deallocate()
      return nil
    }
    unsafe self.raw = raw
    // Unretained: the reader calls only while this object feeds it.
    unsafe sink.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    unsafe sink.pointee.bytes = { context, type, bytes, count in
      unsafe ReplyReader.of(context)?.took(
        type, UnsafeRawBufferPointer(start: bytes, count: count)) ?? 1
    }
    unsafe sink.pointee.integer = { unsafe ReplyReader.of($0)?.took(.integer($1)) ?? 1 }
    unsafe sink.pointee.array = { unsafe ReplyReader.of($0)?.began($1) ?? 1 }
    unsafe sink.pointee.nil = { unsafe ReplyReader.of($0)?.took(.null) ?? 1 }
  }

  deinit {
    unsafe redisReaderFree(raw)
    unsafe sink.deallocate()
  }

  /// Takes bytes as they came from the socket; all of them are kept.
  package func feed(_ bytes: borrowing Span<UInt8>) throws(Violation) {
    if let violation { throw violation }
    let fed = unsafe bytes.withUnsafeBytes { bytes in
      unsafe redisReaderFeed(
        raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    guard fed == REDIS_OK else { throw failed() }
  }

  /// The next whole reply; nil while there is none.
  package func next() throws(Violation) -> RedisValue? {
    if let violation { throw violation }
    var made: UnsafeMutableRawPointer?
    guard unsafe redisReaderGetReply(raw, &made) == REDIS_OK else { throw failed() }
    if unsafe made != nil, let value = whole {
      whole = nil
      bytesInReply = 0
      valuesInReply = 0
      return value
    }
    try checkUnread()
    return nil
  }

  /// Whether what waits for its rest may still become a value within the bounds.
  ///
  /// A few bytes more than the bounds may wait, for line ends and a length: so that the same bytes
  /// are judged alike however they are cut.
  private func checkUnread() throws(Violation) {
    let unread = unsafe wl_reader_unread(raw)
    if unread > limits.replyBytes + 32 { throw refused(Self.tooManyBytes(limits.replyBytes)) }
    guard unread > limits.lineBytes + 1, let next = unsafe wl_reader_next(raw) else { return }
    // Only the bytes of a string may be many; the line with its length is a short one.
    let head = unsafe UnsafeBufferPointer(start: next, count: min(unread, 32))
    guard unsafe wl_reader_awaits_string(raw) != 0, unsafe head.contains(10) else {
      throw refused(Self.tooLong(limits.lineBytes))
    }
  }

  private static func tooManyBytes(_ bytes: Int) -> String { "a reply of more than \(bytes) bytes" }

  private static func tooLong(_ bytes: Int) -> String { "a line of more than \(bytes) bytes" }

  private func refused(_ words: String) -> Violation {
    let violation = self.violation ?? Violation(description: words)
    self.violation = violation
    return violation
  }

  private func failed() -> Violation {
    unsafe refused(String(cString: wl_reader_error(raw)))
  }

  // MARK: Building

  private static func of(_ context: UnsafeMutableRawPointer?) -> ReplyReader? {
    unsafe context.map { unsafe Unmanaged<ReplyReader>.fromOpaque($0).takeUnretainedValue() }
  }

  private func took(_ type: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
    bytesInReply += bytes.count
    guard bytesInReply <= limits.replyBytes else {
      _ = refused(Self.tooManyBytes(limits.replyBytes))
      return 1
    }
    guard type == REDIS_REPLY_STRING || bytes.count <= limits.lineBytes else {
      _ = refused(Self.tooLong(limits.lineBytes))
      return 1
    }
    switch type {
    case REDIS_REPLY_STRING: return unsafe took(.bytes(Array(bytes)))
    case REDIS_REPLY_STATUS: return unsafe took(.status(String(decoding: bytes, as: UTF8.self)))
    case REDIS_REPLY_ERROR:
      return unsafe took(.error(RedisServerError(String(decoding: bytes, as: UTF8.self))))
    default:
      _ = refused("a reply of RESP3, which wasn't asked for")
      return 1
    }
  }

  private func began(_ count: Int) -> Int32 {
    guard levels.count < limits.depth else {
      _ = refused("arrays in arrays, more than \(limits.depth) deep")
      return 1
    }
    guard count >= 0, count <= limits.values - valuesInReply else {
      _ = refused("a reply of more than \(limits.values) values")
      return 1
    }
    if count == 0 { return took(.array([])) }
    valuesInReply += 1
    levels.append(Level(count: count))
    return 0
  }

  /// Puts a value where it belongs, and closes the arrays that it was the last of.
  private func took(_ value: RedisValue) -> Int32 {
    valuesInReply += 1
    guard valuesInReply <= limits.values else {
      _ = refused("a reply of more than \(limits.values) values")
      return 1
    }
    var value = value
    while var level = levels.popLast() {
      level.values.append(value)
      guard level.values.count == level.count else {
        levels.append(level)
        return 0
      }
      value = .array(level.values)
    }
    whole = value
    return 0
  }
}

import Bytes
package import Media

/// Reads an FLV file as its bytes come, and finds its way again after what is no FLV.
///
/// Unlike `FLVReader` it takes what a disk or a crash has left: a head that is missing, garbage
/// between tags, a size that is wrong, an end that was cut off. It holds one tag at most, and the
/// chunk that was given last.
package struct TagScanner: Sendable {
  /// What comes next.
  package enum Step: Equatable, Sendable {
    case tag(FLVTag)
    /// So many bytes before the next tag, or the end, made no sense.
    case skipped(bytes: Int)
    case needsMore
  }

  private var bytes: [UInt8] = []
  private var offset = 0
  private var hasHeader = false
  /// Whether the next tag has to be searched for, and how much was passed over for it.
  private var isLost = false
  private var skipped = 0

  /// A tag's own header, and the size that follows it.
  private static let headerBytes = 11
  private static let trailerBytes = 4
  /// Of a file's own header, which every writer makes 9 bytes long.
  private static let longestHeader = 64

  package init() {}

  /// Adds the next bytes of the file.
  package mutating func append(_ more: borrowing Span<UInt8>) {
    bytes.removeFirst(offset)
    offset = 0
    bytes.append(copying: more)
  }

  /// Takes the next step.
  ///
  /// - Parameter isEnd: whether no more bytes follow; `.needsMore` is then the end.
  /// - Returns: the next tag; or why there is none.
  package mutating func next(isEnd: Bool) -> Step {
    let held = bytes
    let bytes = held.span
    if !hasHeader {
      if bytes.count - offset < Self.longestHeader + Self.trailerBytes, !isEnd { return .needsMore }
      takeHeader(bytes)
    }
    while true {
      if isLost {
        guard search(bytes, isEnd: isEnd) else {
          return isEnd && skipped > 0 ? takeSkipped() : .needsMore
        }
        isLost = false
        if skipped > 0 { return takeSkipped() }
      }
      switch judge(offset, bytes, isEnd: isEnd, isCareful: false) {
      case .unknown: return endOrMore(bytes, isEnd: isEnd)
      case .sound(let tag, let end):
        offset = end
        return .tag(tag)
      case .unsound:
        isLost = true
        offset += 1
        skipped += 1
      }
    }
  }

  private mutating func takeSkipped() -> Step {
    defer { skipped = 0 }
    return .skipped(bytes: skipped)
  }

  /// What is left when the file ends within a tag: a recording that was cut off, which is no
  /// damage; unless there are whole tags in what is left, and it was the tag's size that was wrong.
  private mutating func endOrMore(_ bytes: borrowing Span<UInt8>, isEnd: Bool) -> Step {
    guard isEnd, offset < bytes.count else { return .needsMore }
    offset += 1
    skipped += 1
    if search(bytes, isEnd: true) { return takeSkipped() }
    skipped = 0
    return .needsMore
  }

  /// Passes over the file's header; without one the tags are searched for at once.
  private mutating func takeHeader(_ bytes: borrowing Span<UInt8>) {
    hasHeader = true
    var cursor = ByteCursor(at: offset)
    guard let mark = try? cursor.u24(bytes), mark == 0x46_4C56, (try? cursor.skip(2, bytes)) != nil,
      let size = try? cursor.u32(bytes), (9...UInt32(Self.longestHeader)).contains(size),
      bytes.count - offset >= Int(size) + Self.trailerBytes
    else {
      isLost = true
      return
    }
    offset += Int(size) + Self.trailerBytes
  }

  /// Moves to the next place where a whole tag is followed by its own size.
  ///
  /// - Returns: false when there is none in the bytes at hand.
  private mutating func search(_ bytes: borrowing Span<UInt8>, isEnd: Bool) -> Bool {
    while offset < bytes.count {
      switch judge(offset, bytes, isEnd: isEnd, isCareful: true) {
      case .sound: return true
      case .unknown where !isEnd: return false
      case .unknown, .unsound:
        offset += 1
        skipped += 1
      }
    }
    return false
  }

  private enum Judgement {
    case sound(FLVTag, end: Int)
    case unsound
    /// It ends before it can be told.
    case unknown
  }

  /// Whether there is a tag at a place.
  ///
  /// - Parameters:
  ///   - start: the place.
  ///   - bytes: those at hand.
  ///   - isEnd: whether no more follow.
  ///   - isCareful: whether the size after the tag must be right, because the place was guessed.
  /// - Returns: the tag, if there is one.
  private func judge(
    _ start: Int, _ bytes: borrowing Span<UInt8>, isEnd: Bool, isCareful: Bool
  ) -> Judgement {
    var cursor = ByteCursor(at: start)
    guard cursor.left(bytes) > 0 else { return .unknown }
    guard let kind = FLVTag.Kind(rawValue: bytes[start]) else { return .unsound }
    do throws(ByteError) {
      try cursor.skip(1, bytes)
      let size = Int(try cursor.u24(bytes))
      let low = try cursor.u24(bytes)
      let high = UInt32(try cursor.u8(bytes))
      let stream = try cursor.u24(bytes)
      // Every writer says stream 0.
      if stream != 0 { return .unsound }
      let body = cursor.offset
      try cursor.skip(size, bytes)
      let end = cursor.offset
      func tag() -> FLVTag {
        FLVTag(
          kind: kind, timestamp: high << 24 | low,
          body: [UInt8](copying: bytes.extracting(body..<end)))
      }
      guard cursor.left(bytes) >= Self.trailerBytes else {
        return isEnd && !isCareful ? .sound(tag(), end: bytes.count) : .unknown
      }
      if Int(try cursor.u32(bytes)) == size + Self.headerBytes {
        return .sound(tag(), end: cursor.offset)
      }
      if isCareful { return .unsound }
      // Some writers say another size: then the next tag tells whether this one was whole.
      if cursor.left(bytes) == 0 { return isEnd ? .sound(tag(), end: cursor.offset) : .unknown }
      if cursor.left(bytes) < Self.headerBytes, !isEnd { return .unknown }
      let isNext =
        FLVTag.Kind(rawValue: bytes[cursor.offset]) != nil
        && cursor.left(bytes) >= Self.headerBytes && bytes[cursor.offset + 8] == 0
        && bytes[cursor.offset + 9] == 0 && bytes[cursor.offset + 10] == 0
      return isNext ? .sound(tag(), end: cursor.offset) : .unsound
    } catch {
      return .unknown
    }
  }
}

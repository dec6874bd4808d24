import Bytes

/// One line of the disk tier's journal: an object was stored, has gone, or is stale.
///
/// ```
/// length  u32, of what follows the sum
/// sum     u32, CRC-32C of that
/// kind    u8: 1 stored, 2 gone, 3 marked, 4 all marked
/// key     u64 low, u64 high      (not of `allMarked`)
/// bytes   u64, of the file       (of `stored` alone, as are the next)
/// name    u32 length and text
/// tags    u32 count, then each as a name
/// since   u64, seconds since 1970 (of both `marked`, as is the next)
/// doubted u8: 0 or 1
/// ```
enum JournalRecord: Equatable {
  case stored(CacheKey, DiskEntry)
  case gone(CacheKey)
  case marked(CacheKey, StaleMark)
  /// All that was stored before it.
  case allMarked(StaleMark)

  private static let mostBytes = 256 << 10

  /// Appends the record's bytes.
  func append(to out: inout [UInt8]) {
    var payload: [UInt8] = []
    switch self {
    case .stored(let key, let entry):
      payload.append(1)
      payload.append(u64: key.low)
      payload.append(u64: key.high)
      payload.append(u64: UInt64(entry.bytes))
      payload.append(text: Array(entry.name.utf8))
      payload.append(u32: UInt32(entry.tags.count))
      for tag in entry.tags { payload.append(text: Array(tag.utf8)) }
    case .gone(let key):
      payload.append(2)
      payload.append(u64: key.low)
      payload.append(u64: key.high)
    case .marked(let key, let mark):
      payload.append(3)
      payload.append(u64: key.low)
      payload.append(u64: key.high)
      JournalRecord.append(mark, to: &payload)
    case .allMarked(let mark):
      payload.append(4)
      JournalRecord.append(mark, to: &payload)
    }
    out.append(u32: UInt32(payload.count))
    out.append(u32: Checksum.of(payload.span))
    out += payload
  }

  private static func append(_ mark: StaleMark, to payload: inout [UInt8]) {
    payload.append(u64: UInt64(clamping: mark.since))
    payload.append(mark.isDoubted ? 1 : 0)
  }

  /// Reads the record at `offset`.
  ///
  /// - Parameters:
  ///   - bytes: of the journal.
  ///   - offset: moved behind the record.
  /// - Returns: nil at the end, and at the first byte that no record has: what a process that was
  ///   killed was just writing.
  static func read(_ bytes: borrowing Span<UInt8>, at offset: inout Int) -> JournalRecord? {
    do {
      var cursor = ByteCursor(at: offset)
      let length = Int(try cursor.u32(bytes))
      let sum = try cursor.u32(bytes)
      guard length <= mostBytes, cursor.left(bytes) >= length else { return nil }
      let end = cursor.offset + length
      let payload = bytes.extracting(cursor.offset..<end)
      guard Checksum.of(payload) == sum else { return nil }
      guard let record = try parse(payload) else { return nil }
      offset = end
      return record
    } catch {
      return nil
    }
  }

  private static func parse(_ payload: borrowing Span<UInt8>) throws(ByteError) -> JournalRecord? {
    var cursor = ByteCursor()
    let kind = try cursor.u8(payload)
    if kind == 4 { return try mark(payload, &cursor).map { .allMarked($0) } }
    let key = CacheKey(low: try cursor.u64(payload), high: try cursor.u64(payload))
    switch kind {
    case 1:
      guard let count = Int(exactly: try cursor.u64(payload)) else { return nil }
      let name = String(decoding: try cursor.text(payload), as: UTF8.self)
      let number = Int(try cursor.u32(payload))
      guard number <= payload.count else { return nil }
      var tags: [String] = []
      for _ in 0..<number { tags.append(String(decoding: try cursor.text(payload), as: UTF8.self)) }
      return .stored(key, DiskEntry(bytes: count, name: name, tags: tags))
    case 2: return .gone(key)
    case 3: return try mark(payload, &cursor).map { .marked(key, $0) }
    default: return nil
    }
  }

  private static func mark(
    _ payload: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(ByteError) -> StaleMark? {
    guard let since = Int64(exactly: try cursor.u64(payload)) else { return nil }
    return StaleMark(since: since, isDoubted: try cursor.u8(payload) != 0)
  }
}

/// What is known of an object on disk without reading its file.
struct DiskEntry: Equatable, Sendable {
  /// Of its file.
  var bytes: Int
  var name: String
  var tags: [String]
  /// Nil where it is what its file says.
  var mark: StaleMark?

  /// What most file systems give a file in.
  private static let block = 4_096

  /// What its file takes on the disk.
  var takenBytes: Int { (bytes + Self.block - 1) / Self.block * Self.block }

  var tagHashes: [UInt64] { Array(Set(tags.map(TagIndex.hash))) }
}

import Glibc

/// The disk tier's journal: which objects there are, so that a start reads no object's file.
///
/// Appended to, and written anew when most of it is about objects that have gone. Confined to the
/// tier's writer.
struct DiskJournal {
  private let path: String
  private var descriptor: Int32 = -1
  private(set) var records = 0

  private static let mostBytes = 1 << 30

  init(_ path: String) { self.path = path }

  /// Reads what a process before has left.
  ///
  /// - Parameter body: is given each record, oldest first.
  /// - Returns: 0, or the errno; no journal is none of these.
  mutating func load(_ body: (JournalRecord) -> Void) -> Int32 {
    let (bytes, problem) = DiskFiles.read(path, most: Self.mostBytes)
    guard problem == 0 else {
      // A link or a pipe of its name is no journal; there is none then.
      let isNone = problem == ELOOP || problem == EINVAL
      if isNone { DiskFiles.remove(path) }
      return isNone || problem == ENOENT ? 0 : problem
    }
    var offset = 0
    let span = bytes.span
    while let record = JournalRecord.read(span, at: &offset) {
      records += 1
      body(record)
    }
    // What follows is half a record: the next one takes its place.
    guard offset < bytes.count else { return 0 }
    return unsafe truncate(path, off_t(offset)) == 0 ? 0 : errno
  }

  /// Adds a record.
  ///
  /// - Returns: 0, or the errno; the journal then ends with its last whole record.
  mutating func append(_ record: JournalRecord) -> Int32 { append([record]) }

  /// Adds records, all of them or none.
  ///
  /// - Returns: 0, or the errno.
  mutating func append(_ new: [JournalRecord]) -> Int32 {
    if new.isEmpty { return 0 }
    let refusal = open()
    guard refusal == 0 else { return refusal }
    var bytes: [UInt8] = []
    for record in new { record.append(to: &bytes) }
    let end = lseek(descriptor, 0, SEEK_END)
    let problem = DiskFiles.write(bytes, descriptor)
    guard problem == 0 else {
      // Whatever follows half a record is lost to the next start.
      if end < 0 || ftruncate(descriptor, end) != 0 { close() }
      return problem
    }
    records += new.count
    return 0
  }

  private mutating func open() -> Int32 {
    if descriptor >= 0 { return 0 }
    descriptor = unsafe Glibc.open(
      path, O_WRONLY | O_CREAT | O_APPEND | DiskFiles.safely, 0o600)
    return descriptor >= 0 ? 0 : errno
  }

  /// Has all that was added stand after a power cut, too.
  ///
  /// - Returns: 0, or the errno.
  mutating func sync() -> Int32 {
    let problem = open()
    guard problem == 0 else { return problem }
    return fdatasync(descriptor) == 0 ? 0 : errno
  }

  /// Whether it has become so long that it is better written anew.
  ///
  /// - Parameters:
  ///   - objects: that there are.
  ///   - fewest: records that are never too many.
  /// - Returns: whether more than two thirds of it are about what has gone.
  func isWasteful(objects: Int, fewest: Int) -> Bool {
    records > max(fewest, 3 * objects)
  }

  /// Writes it anew.
  ///
  /// - Parameter objects: all that there are, oldest first.
  /// - Returns: 0, or the errno; the old one then goes on.
  mutating func rewrite(_ objects: [(CacheKey, DiskEntry)]) -> Int32 {
    var bytes: [UInt8] = []
    var count = 0
    for (key, entry) in objects {
      JournalRecord.stored(key, entry).append(to: &bytes)
      if let mark = entry.mark {
        JournalRecord.marked(key, mark).append(to: &bytes)
        count += 1
      }
    }
    // Of the one before some was synced, which must not be lost with what takes its place.
    let problem = DiskFiles.write([bytes], to: path, isSynced: true)
    guard problem == 0 else { return problem }
    close()
    records = objects.count + count
    return 0
  }

  /// Begins with nothing, as the one before has been taken away.
  mutating func begin() {
    close()
    records = 0
  }

  mutating func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }
}

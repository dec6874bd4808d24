import Dispatch
import Glibc
import Synchronization

/// Objects on disk: bounded by bytes and by count, and there again after a restart or a kill.
///
/// One thread writes, and nothing waits for it: what it can't keep up with isn't stored. Some read.
/// A file that is damaged, missing or another's is as good as none, and goes. A disk that is full
/// or broken is left alone for a while; nobody gets an error for it.
package final class DiskTier: Sendable {
  /// Bounds.
  package struct Limits: Sendable {
    /// Of all files, in whole blocks.
    package var bytes = 10 << 30
    package var count = 200_000
    /// Of one object.
    package var objectBytes = 16 << 20
    /// What may wait to be written.
    package var waitingBytes = 256 << 20
    /// Threads that read.
    package var readers = 4
    /// Records of the journal below which it is never written anew.
    package var journalRecords = 10_000
    /// How long a disk that took nothing is left alone.
    package var pause: Duration = .seconds(10)

    package init() {}
  }

  /// What the disk did, for metrics.
  package struct Usage: Equatable, Sendable {
    package var count = 0
    package var bytes = 0
    package var waitingBytes = 0
    package var evictions = 0
    package var written = 0
    /// Not stored, as too much waited or the disk took nothing.
    package var skipped = 0
    /// Files that were not what had been stored.
    package var damaged = 0
    /// Calls that failed.
    package var failures = 0
  }

  struct State {
    var table: ObjectTable<DiskEntry>
    var usage = Usage()
    /// The disk is left alone until then.
    var pausedUntil: ContinuousClock.Instant?
    /// Whether the folder is this process's.
    var isOwn = false
    /// Whether it was, and is another's.
    var isReleased = false
    /// Whether it has been read, and all that was purged until then is out of what was found.
    var isRead = false
    /// Whether a purge could not be kept since it was asked for last, and whether any ever could
    /// not.
    var hasLostPurge = false
    var isPositionLost = false
    var postponed = PostponedPurges()
    /// How often a position was to be noted.
    var positions = 0

    /// Whether anything is to be found.
    var isFound: Bool { isOwn && isRead }
  }

  /// What has become of the folder under a running tier.
  package enum FolderEvent: Equatable, Sendable {
    /// It isn't there any more, with all that was in it; told before it is made anew.
    case gone
    /// It is there again, empty.
    case made
    /// It can't be made; the errno. Tried again after a while.
    case failed(Int32)
  }

  let files: DiskFiles
  private let tell: @Sendable (FolderEvent) -> Void
  private let limits: Limits
  let state: Mutex<State>
  let journal: Mutex<DiskJournal>
  let writer = DispatchQueue(label: "cache-disk-writer", qos: .utility)
  private let readers: [DispatchQueue]

  /// Takes over a folder, with what is in it.
  ///
  /// The journal is read behind the caller's back: until then nothing is found.
  ///
  /// - Parameters:
  ///   - folder: is made where it isn't there; files that are not the tier's are left alone, but
  ///     those within its 256 folders go.
  ///   - limits: of what is stored.
  ///   - isOwn: false where another process still has the folder: nothing is found or stored until
  ///     `open`.
  ///   - tell: hears of what becomes of the folder, from the writer's thread.
  package init(
    _ folder: String, limits: Limits = Limits(), isOwn: Bool = true,
    tell: @escaping @Sendable (FolderEvent) -> Void = { _ in }
  ) {
    self.tell = tell
    files = DiskFiles(folder: folder)
    self.limits = limits
    state = Mutex(State(table: ObjectTable(bytes: limits.bytes, count: limits.count)))
    journal = Mutex(DiskJournal(files.journal))
    readers = (0..<max(1, limits.readers)).map {
      DispatchQueue(label: "cache-disk-reader-\($0)", qos: .userInitiated)
    }
    if isOwn { open() }
  }

  // MARK: Whose it is

  /// Takes over the folder, which no other process has any more.
  package func open() {
    state.withLock { state in
      guard !state.isOwn, !state.isReleased else { return }
      state.isOwn = true
      // Under the lock: whoever finds it this one's stands behind it.
      writer.async { [self] in load() }
    }
  }

  /// Leaves the folder to another process.
  ///
  /// What waits to be written is, and then nothing of it is read, stored or removed by this one any
  /// more.
  package func release() async {
    state.withLock { $0.isOwn = false }
    await settle()
    state.withLock { state in
      state.isReleased = true
      state.table = ObjectTable(bytes: limits.bytes, count: limits.count)
    }
  }

  /// Whether the folder was this process's, and is another's.
  var isReleased: Bool { state.withLock { $0.isReleased } }

  // MARK: Finding

  /// Whether an object is there, as far as is known without reading it.
  package func contains(_ key: CacheKey) -> Bool {
    state.withLock { $0.isFound && $0.table.peek(key) != nil }
  }

  /// Reads an object.
  ///
  /// - Parameters:
  ///   - key: of the object.
  ///   - name: that it must have.
  ///   - done: called once, from a thread of the tier; nil where it isn't there.
  /// - Returns: false where it is known not to be there; `done` isn't called then.
  package func read(
    _ key: CacheKey, name: String, done: @escaping @Sendable (DiskObject?) -> Void
  ) -> Bool {
    let entry = state.withLock { $0.isFound ? $0.table.value(key) : nil }
    guard let entry, entry.name == name else { return false }
    readers[Int(key.low % UInt64(readers.count))].async { [self] in
      var object = load(key, name: name)
      object?.mark = entry.mark
      done(object)
    }
    return true
  }

  private func load(_ key: CacheKey, name: String) -> DiskObject? {
    let (head, body, problem) = DiskFiles.readObject(
      files.path(key), most: limits.objectBytes + DiskObject.mostHeadBytes)
    guard problem == 0 else {
      drop(key) { $0.failures += problem == ENOENT ? 0 : 1 }
      return nil
    }
    do throws(DiskObject.Damage) {
      let object = try DiskObject(fileHead: head, body: body, key: key)
      return object.name == name ? object : nil
    } catch {
      drop(key) { $0.damaged += 1 }
      return nil
    }
  }

  // MARK: Storing

  /// Stores an object, soon.
  ///
  /// - Parameter object: replaces one of the same key.
  /// - Returns: false where it isn't stored: it is too large, too much waits, or the disk is left
  ///   alone.
  @discardableResult package func store(_ object: DiskObject) -> Bool {
    // Not what its file takes: its sums are the writer's work, and no fill's.
    let bytes = object.head.count + object.body.count
    let isTaken = state.withLock { state in
      let isPaused = !state.isOwn || state.pausedUntil.map { $0 > .now } ?? false
      guard object.body.count <= limits.objectBytes, !isPaused,
        state.usage.waitingBytes + bytes <= limits.waitingBytes
      else {
        state.usage.skipped += 1
        return false
      }
      state.usage.waitingBytes += bytes
      return true
    }
    guard isTaken else { return false }
    writer.async { [self] in
      write(object)
      state.withLock { $0.usage.waitingBytes -= bytes }
    }
    return true
  }

  private func write(_ object: DiskObject) {
    let head = object.fileHead
    let entry = DiskEntry(
      bytes: head.count + object.body.count, name: object.name, tags: object.tags)
    let problem = writing {
      // The journal first: a file that it doesn't know would never go.
      let problem = journal.withLock { $0.append(.stored(object.key, entry)) }
      if problem != 0 { return problem }
      return DiskFiles.write([head, object.body], to: files.path(object.key))
    }
    guard problem == 0 else {
      remove([object.key])
      return failed()
    }
    let gone = state.withLock { state in
      var gone: [CacheKey] = []
      state.usage.written += 1
      state.table.insert(object.key, entry, bytes: entry.takenBytes, tags: entry.tagHashes) {
        key, _ in
        gone.append(key)
      }
      return gone
    }
    unlink(gone)
    tidyJournal()
  }

  /// Writes something, once more where the folder had gone.
  ///
  /// - Returns: 0, or the errno.
  func writing(_ write: () -> Int32) -> Int32 {
    let problem = write()
    return problem == ENOENT && makeAnew() ? write() : problem
  }

  /// Makes the folder anew, or what is missing of it, as somebody has taken it away.
  private func makeAnew() -> Bool {
    guard !isReleased else { return false }
    let isGone = unsafe access(files.journal, F_OK) != 0
    if isGone { tell(.gone) }
    let problem = files.prepare()
    guard problem == 0 else {
      tell(.failed(problem))
      return false
    }
    if isGone {
      // What is written to the old one is lost.
      journal.withLock { $0.begin() }
      takeAllOut()
      sweep()
    }
    tell(.made)
    return true
  }

  /// The disk took nothing: it is asked again after a while.
  func failed() {
    state.withLock { state in
      state.usage.failures += 1
      state.pausedUntil = .now + limits.pause
    }
  }

  // MARK: Removing

  /// Takes an object out, and its file with it.
  package func remove(_ key: CacheKey) {
    writer.async { [self] in remove([key]) }
    state.withLock { _ = $0.table.remove(key) }
  }

  private func drop(_ key: CacheKey, _ count: (inout Usage) -> Void) {
    state.withLock { state in
      count(&state.usage)
      _ = state.table.remove(key)
    }
    writer.async { [self] in
      // It may have been stored anew meanwhile.
      guard !contains(key) else { return }
      unlink([key])
    }
  }

  private func remove(_ keys: [CacheKey]) {
    state.withLock { state in for key in keys { state.table.remove(key) } }
    unlink(keys)
  }

  func unlink(_ keys: [CacheKey]) {
    guard !isReleased else { return }
    for key in keys {
      DiskFiles.remove(files.path(key))
      let problem = journal.withLock { $0.append(.gone(key)) }
      if problem != 0 { failed() }
    }
  }

  // MARK: Starting, and keeping order

  /// Waits until all that was asked for so far is done.
  package func settle() async {
    await withCheckedContinuation { continuation in
      writer.async { continuation.resume() }
    }
  }

  /// What it holds, and has done.
  package var usage: Usage {
    state.withLock { state in
      var usage = state.usage
      // What is being read is not to be found yet.
      usage.count = state.isRead ? state.table.count : 0
      usage.bytes = state.isRead ? state.table.bytes : 0
      usage.evictions = state.table.evictions
      return usage
    }
  }

  private func load() {
    guard files.prepare() == 0 else {
      purgePostponed()
      return failed()
    }
    var found: [CacheKey: DiskEntry] = [:]
    var order: [CacheKey] = []
    let problem = journal.withLock { journal in
      journal.load { record in
        switch record {
        case .stored(let key, let entry):
          found[key] = entry
          order.append(key)
        case .gone(let key): found[key] = nil
        case .marked(let key, let mark): found[key]?.mark = mark
        case .allMarked(let mark): for key in found.keys { found[key]?.mark = mark }
        }
      }
    }
    if problem != 0 { failed() }
    let gone = state.withLock { state in
      var gone: [CacheKey] = []
      for key in order {
        guard let entry = found[key], state.table.peek(key) == nil else { continue }
        state.table.insert(key, entry, bytes: entry.takenBytes, tags: entry.tagHashes) { key, _ in
          gone.append(key)
        }
      }
      return gone
    }
    // First: nobody is to find what was purged before.
    purgePostponed()
    unlink(gone)
    sweep()
    tidyJournal()
  }

  /// Files that the journal doesn't know, as it was cut or lost.
  private func sweep() {
    for part in 0..<256 {
      let folder = "\(files.folder)/\(DiskFiles.two(part))"
      for name in DiskFiles.names(folder) {
        if let key = DiskFiles.key(ofName: name), contains(key) { continue }
        DiskFiles.remove("\(folder)/\(name)")
      }
    }
  }

  func tidyJournal() {
    guard !isReleased else { return }
    let objects = state.withLock { $0.table.count }
    guard journal.withLock({ $0.isWasteful(objects: objects, fewest: limits.journalRecords) })
    else { return }
    let all = state.withLock { $0.table.all }
    let problem = journal.withLock { $0.rewrite(all.map { ($0.key, $0.value) }) }
    if problem != 0 { failed() }
  }
}

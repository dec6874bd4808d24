import Dispatch
import Synchronization

extension DiskTier {
  /// Which objects a purge is about.
  package enum Selection: Sendable {
    /// Those that have one of these tags.
    case tagged([String])
    /// Those whose name is meant; O(objects).
    case named(@Sendable (String) -> Bool)
    case all
  }

  /// Takes objects out, or marks them as stale.
  ///
  /// From the return on they are found no more, or as marked; what waits to be written is seen to
  /// when it is. Their files go behind the caller's back. What is in a folder that another process
  /// still has is seen to when it is this one's.
  ///
  /// - Parameters:
  ///   - which: of those that there are.
  ///   - mark: nil takes them out.
  ///   - done: called once, with how many there were, when the journal has it.
  package func purge(
    _ which: Selection, mark: StaleMark? = nil,
    done: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    let isLater = state.withLock { state in
      guard !state.isRead, !state.isReleased else { return false }
      // Where it is being read, what waits to be stored is seen to behind that.
      state.postponed.add(which, mark)
      return !state.isOwn
    }
    if isLater { return done(0) }
    let first = change(which, mark)
    writer.async { [self] in done(purge(which, mark, first)) }
  }

  /// On the writer.
  private func purge(_ which: Selection, _ mark: StaleMark?, _ first: [CacheKey] = []) -> Int {
    let more = Set(change(which, mark)).union(first)
    if let mark {
      write(mark, more, ofAll: which)
    } else {
      // One of them may have been stored anew meanwhile, as something else.
      takeOut(more.filter { key in state.withLock { $0.table.peek(key) == nil } })
    }
    tidyJournal()
    return more.count
  }

  /// The journal first, all at once: after a kill the files of what it says has gone go at the next
  /// start.
  private func takeOut(_ keys: [CacheKey]) {
    guard !isReleased, !keys.isEmpty else { return }
    let problem = journal.withLock { $0.append(keys.map { .gone($0) }) }
    if problem != 0 { failed() }
    var areAllGone = true
    for key in keys where !DiskFiles.remove(files.path(key)) { areAllGone = false }
    if problem != 0, !areAllGone { lost() }
  }

  /// A purge is neither in the journal nor done: the next process must not believe what is there.
  private func lost() {
    state.withLock { state in
      state.hasLostPurge = true
      state.isPositionLost = true
    }
    DiskFiles.remove(files.position)
  }

  /// Tells when all that was purged so far is on disk, and stays so after a kill and a power cut.
  ///
  /// - Parameter done: called once, from the writer's thread: false where the disk didn't take it.
  package func whenKept(_ done: @escaping @Sendable (Bool) -> Void) {
    let isLater = state.withLock { state in
      guard !state.isOwn, !state.isRead, !state.isReleased else { return false }
      state.postponed.done.append(done)
      return true
    }
    if !isLater { writer.async { [self] in done(areKept()) } }
  }

  private func areKept() -> Bool {
    // The other process's to keep now, which this one can't wait for.
    if isReleased { return false }
    let problem = journal.withLock { $0.sync() }
    if problem != 0 { failed() }
    let isLost = state.withLock { state in
      defer { state.hasLostPurge = false }
      return state.hasLostPurge
    }
    return problem == 0 && !isLost
  }

  /// Waits until all that was purged so far is on disk.
  ///
  /// - Parameter patience: for so long.
  /// - Returns: false where it took longer, or the disk didn't take it.
  package func isKept(within patience: Duration) async -> Bool {
    let (answers, answer) = AsyncStream.makeStream(
      of: Bool.self, bufferingPolicy: .bufferingOldest(1))
    whenKept { answer.yield($0) }
    let late = Task {
      try? await Task.sleep(for: patience)
      answer.yield(false)
    }
    defer {
      late.cancel()
      answer.finish()
    }
    for await isKept in answers { return isKept }
    return false
  }

  /// Does what was purged before the folder was read, until nothing of that is left, and has the
  /// rest found from then on; on the writer.
  func purgePostponed() {
    while true {
      let postponed = state.withLock { state in
        defer { state.postponed = PostponedPurges() }
        state.isRead = state.postponed.isEmpty
        return state.postponed
      }
      if postponed.isEmpty { return }
      for (which, mark) in postponed.purges { _ = purge(which, mark) }
      for done in postponed.done { done(areKept()) }
    }
  }

  /// Nothing is there any more, and none of it need be written anywhere.
  func takeAllOut() { _ = change(.all, nil) }

  private func change(_ which: Selection, _ mark: StaleMark?) -> [CacheKey] {
    let become: (DiskEntry) -> ObjectChange<DiskEntry> = { entry in
      guard let mark else { return .remove }
      guard entry.mark != mark else { return .none }
      var entry = entry
      // What was doubted isn't less so for being stale.
      if entry.mark?.isDoubted != true || mark.isDoubted { entry.mark = mark }
      return .replace(entry)
    }
    switch which {
    case .tagged(let tags):
      let hashes = tags.map(TagIndex.hash)
      return state.withLock { state in
        hashes.flatMap { state.table.change(tagged: $0) { become($1) } }
      }
    case .named(let isMeant):
      return look { isMeant($0.name) ? become($0) : .none }
    case .all: return look(become)
    }
  }

  /// Looks at all objects, a stretch at a time.
  private func look(_ change: (DiskEntry) -> ObjectChange<DiskEntry>) -> [CacheKey] {
    var keys: [CacheKey] = []
    var start = 0
    var end = 0
    let stretch = 1_024
    repeat {
      keys += state.withLock { state in
        end = state.table.slotCount
        return state.table.change(in: start..<start + stretch) { change($1) }
      }
      start += stretch
    } while start < end
    return keys
  }

  private func write(_ mark: StaleMark, _ keys: Set<CacheKey>, ofAll which: Selection) {
    guard !isReleased else { return }
    let records: [JournalRecord]
    if case .all = which {
      records = [.allMarked(mark)]
    } else {
      records = state.withLock { state in
        keys.compactMap { key in state.table.peek(key)?.mark.map { .marked(key, $0) } }
      }
    }
    guard journal.withLock({ $0.append(records) }) != 0 else { return }
    failed()
    // What can't be said to be stale is not to be found by the next process at all.
    state.withLock { state in for key in keys { state.table.remove(key) } }
    takeOut(Array(keys))
  }

  // MARK: How far purges have been heard of

  /// Keeps a text of the owner's, once all that was purged before is on disk.
  package func note(position: String) {
    let number = state.withLock { state in
      state.positions += 1
      return state.positions
    }
    writer.async { [self] in
      // The last of several says it all.
      guard state.withLock({ $0.positions == number }) else { return }
      guard !isReleased, !state.withLock(\.isPositionLost) else { return }
      // It may stand when a power cut has taken what was purged before it.
      if journal.withLock({ $0.sync() }) != 0 { return failed() }
      let problem = writing {
        DiskFiles.write([Array(position.utf8)], to: files.position)
      }
      if problem != 0 { failed() }
    }
  }

  /// What was kept last; nil where nothing was, or it can't be read.
  package var position: String? {
    let (bytes, problem) = DiskFiles.read(files.position, most: 1_024)
    return problem == 0 ? String(validating: bytes, as: UTF8.self) : nil
  }
}

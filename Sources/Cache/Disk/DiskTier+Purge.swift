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
  /// From the return on they are found no more, or as marked; what waits to be written is seen to when
  /// it is. Their files go behind the caller's back.
  ///
  /// - Parameters:
  ///   - which: of those that there are.
  ///   - mark: nil takes them out.
  ///   - done: called once, with how many there were, when the journal has it.
  package func purge(
    _ which: Selection, mark: StaleMark? = nil,
    done: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    let first = change(which, mark)
    writer.async { [self] in
      let more = Set(change(which, mark)).union(first)
      if let mark {
        write(mark, more, ofAll: which)
      } else {
        // One of them may have been stored anew meanwhile, as something else.
        unlink(more.filter { !contains($0) })
      }
      tidyJournal()
      done(more.count)
    }
  }

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
    if case .all = which {
      if journal.withLock({ $0.append(.allMarked(mark)) }) != 0 { failed() }
      return
    }
    for key in keys {
      guard let mark = state.withLock({ $0.table.peek(key)?.mark }) else { continue }
      if journal.withLock({ $0.append(.marked(key, mark)) }) != 0 { return failed() }
    }
  }

  // MARK: How far purges have been heard of

  /// Keeps a text of the owner's, once all that was purged before is on disk.
  package func note(position: String) {
    writer.async { [self] in
      guard !isReleased else { return }
      if DiskFiles.write([Array(position.utf8)], to: files.position) != 0 { failed() }
    }
  }

  /// What was kept last; nil where nothing was, or it can't be read.
  package var position: String? {
    let (bytes, problem) = DiskFiles.read(files.position, most: 1_024)
    return problem == 0 ? String(validating: bytes, as: UTF8.self) : nil
  }
}

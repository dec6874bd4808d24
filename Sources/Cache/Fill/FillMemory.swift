import Synchronization

/// What bodies on their way in take in memory, for all of a cache: bounded, as slow readers hold what has
/// long left the memory tier.
package final class FillMemory: Sendable {
  private let limit: Int
  private let used = Atomic(0)
  private let refusals = Atomic(0)

  /// - Parameter limit: bytes that bodies take at most, but for those that have to be taken.
  package init(limit: Int) { self.limit = limit }

  /// Bytes that are taken.
  package var bytes: Int { used.load(ordering: .relaxed) }

  /// How often there was no room.
  package var refused: Int { refusals.load(ordering: .relaxed) }

  /// Takes some for a body; they are free again when the last one lets go of the share.
  ///
  /// - Parameters:
  ///   - bytes: how long the body is, or 0 where nobody knows.
  ///   - isForced: whether it is taken even where there is no room.
  /// - Returns: nil where there is none.
  package func share(_ bytes: Int, isForced: Bool = false) -> FillShare? {
    let share = FillShare(of: self)
    return share.grow(to: bytes, isForced: isForced) ? share : nil
  }

  fileprivate func take(_ bytes: Int, isForced: Bool) -> Bool {
    let now = used.add(bytes, ordering: .relaxed).newValue
    guard now > limit, !isForced else { return true }
    give(bytes)
    refusals.add(1, ordering: .relaxed)
    return false
  }

  fileprivate func give(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}

/// What one body takes.
package final class FillShare: Sendable {
  private let memory: FillMemory
  private let bytes = Mutex(0)

  fileprivate init(of memory: FillMemory) { self.memory = memory }

  deinit { memory.give(bytes.withLock { $0 }) }

  /// The body is so long by now.
  ///
  /// - Parameters:
  ///   - end: bytes of it, more or fewer than before.
  ///   - isForced: whether it is taken even where there is no room.
  /// - Returns: false where there is none; nothing more is taken then.
  package func grow(to end: Int, isForced: Bool) -> Bool {
    bytes.withLock { bytes in
      guard end > bytes else { return true }
      guard memory.take(end - bytes, isForced: isForced) else { return false }
      bytes = end
      return true
    }
  }
}

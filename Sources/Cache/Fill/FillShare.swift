import Synchronization

/// What one body takes of the memory that is for all.
package final class FillShare: Sendable {
  private let memory: FillMemory
  private let bytes = Mutex(0)

  init(of memory: FillMemory) { self.memory = memory }

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

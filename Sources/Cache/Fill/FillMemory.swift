import Synchronization

/// What bodies on their way in take in memory, for all of a cache: bounded, as slow readers hold
/// what has long left the memory tier.
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

  /// Takes more for a share; false where there is no room, unless it is taken all the same, and
  /// where nobody could count so much.
  func take(_ bytes: Int, isForced: Bool) -> Bool {
    var before = used.load(ordering: .relaxed)
    while true {
      let (now, overflow) = before.addingReportingOverflow(bytes)
      guard !overflow, isForced || now <= limit else {
        refusals.add(1, ordering: .relaxed)
        return false
      }
      let (isTaken, found) = used.weakCompareExchange(
        expected: before, desired: now, ordering: .relaxed)
      if isTaken { return true }
      before = found
    }
  }

  /// A share is given back, or a part of it.
  func give(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}

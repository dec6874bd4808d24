/// The numbers that one stream may use now; confined to the stream's loop and never waits.
///
/// ```
/// let sequence = block.takeSequence()
/// if block.wantsMore { /* start a task: store.extend(block.snapshot(lastPTS:)) → block.extend(to:) */ }
/// ```
package struct NumberBlock: Sendable, Equatable {
  package private(set) var numbers: StreamNumbers
  private var isAsking = false

  /// Begins with what `StreamNumberStore.begin` returned.
  package init(_ numbers: StreamNumbers) { self.numbers = numbers }

  /// The next segment's number.
  ///
  /// When the block is used up because the store has not answered for minutes, the stream goes on
  /// all the same (`isOverdrawn`): a picture now is worth more than the promise about a crash.
  package mutating func takeSequence() -> UInt64 {
    defer { numbers.next.sequence += 1 }
    return numbers.next.sequence
  }

  /// Counts a discontinuity that has left the window or begins it.
  package mutating func addDiscontinuity() { numbers.next.discontinuity += 1 }

  /// Whether half of the block is used and nobody has asked yet; true once per asking.
  package mutating func wantsMore() -> Bool {
    let segments = numbers.limits.sequence.saturatingDistance(from: numbers.next.sequence)
    let breaks = numbers.limits.discontinuity.saturatingDistance(from: numbers.next.discontinuity)
    let isLow =
      segments <= StreamNumbers.blockSegments / 2
      || breaks <= StreamNumbers.blockDiscontinuities / 2
    guard isLow, !isAsking else { return false }
    isAsking = true
    return true
  }

  /// Whether numbers are in use that are not on disk.
  package var isOverdrawn: Bool {
    numbers.next.sequence > numbers.limits.sequence
      || numbers.next.discontinuity > numbers.limits.discontinuity
  }

  /// Takes the answer to an asking.
  ///
  /// - Parameter limits: what `extend` returned; nil when it failed: it is asked again then.
  package mutating func extend(to limits: StreamNumbers.Position?) {
    isAsking = false
    guard let limits else { return }
    numbers.limits.sequence = max(numbers.limits.sequence, limits.sequence)
    numbers.limits.discontinuity = max(numbers.limits.discontinuity, limits.discontinuity)
  }

  /// The record to hand to `extend` or `end`.
  ///
  /// - Parameter lastPTS: the last presentation time published, in ticks of 1/90000 s.
  /// - Returns: a copy.
  package func snapshot(lastPTS: Int64?) -> StreamNumbers {
    var copy = numbers
    copy.lastPTS = lastPTS ?? copy.lastPTS
    return copy
  }
}

extension UInt64 {
  fileprivate func saturatingDistance(from start: UInt64) -> UInt64 {
    self > start ? self - start : 0
  }
}

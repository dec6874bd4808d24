package import Synchronization

/// A count that one thread alone adds to, while any may read it.
///
/// For what is counted per packet or per request: a load and a store without a locked instruction,
/// and no padding, so that a loop may have thousands of them.
package final class Tally: Sendable {
  @usableFromInline let sum = Atomic<UInt64>(0)

  package init() {}

  /// Adds `amount`, for sizes as Swift counts them; a negative amount is ignored.
  ///
  /// Called on one thread: what two add at the same time may be lost.
  @inlinable package func add(_ amount: Int) {
    guard amount > 0 else { return }
    sum.store(sum.load(ordering: .relaxed) &+ UInt64(amount), ordering: .relaxed)
  }

  /// What was added so far.
  package var value: UInt64 { sum.load(ordering: .relaxed) }
}

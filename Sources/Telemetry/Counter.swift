package import Synchronization

/// A count that only grows, for example bytes sent.
///
/// Adding is one relaxed atomic addition. Where several event loops count the same thing per
/// packet or per request, each takes its own `cell()`: the cells never share a cache line, and
/// reading adds them up.
package final class Counter: Sendable {
  private let own = Cell()
  private let cells = Mutex<[Cell]>([])

  package init() {}

  /// Adds one.
  @inlinable package func increment() { add(1) }

  /// Adds `amount`; the sum wraps at 2^64, which no count here reaches.
  package func add(_ amount: UInt64) { own.add(amount) }

  /// Adds `amount`, for sizes as Swift counts them; a negative amount is ignored.
  package func add(_ amount: Int) {
    if amount > 0 { own.add(UInt64(amount)) }
  }

  /// The sum of all that was added, in this counter and in its cells.
  package var value: UInt64 {
    cells.withLock { cells in cells.reduce(own.value) { $0 &+ $1.value } }
  }

  /// Makes a part of this counter for one loop, on a cache line of its own.
  ///
  /// It is kept for ever: take one when the loop starts, not per connection.
  package func cell() -> Cell {
    let cell = Cell()
    cells.withLock { $0.append(cell) }
    return cell
  }

  /// One padded 64-bit sum.
  package final class Cell: Sendable {
    @usableFromInline let before = InlineArray<6, UInt64>(repeating: 0)
    @usableFromInline let sum = Atomic<UInt64>(0)
    @usableFromInline let after = InlineArray<8, UInt64>(repeating: 0)

    init() {}

    /// Adds one.
    @inlinable package func increment() { add(UInt64(1)) }

    /// Adds `amount`.
    @inlinable package func add(_ amount: UInt64) {
      sum.wrappingAdd(amount, ordering: .relaxed)
    }

    /// Adds `amount`, for sizes as Swift counts them; a negative amount is ignored.
    @inlinable package func add(_ amount: Int) {
      if amount > 0 { add(UInt64(amount)) }
    }

    /// What was added so far.
    package var value: UInt64 { sum.load(ordering: .relaxed) }
  }
}

import Synchronization

/// A whole number that goes up and down, for example open connections.
package final class Gauge: Sendable {
  private let before = InlineArray<6, UInt64>(repeating: 0)
  private let number = Atomic<Int64>(0)
  private let after = InlineArray<8, UInt64>(repeating: 0)

  package init() {}

  /// Replaces the number.
  package func set(_ value: Int) { number.store(Int64(value), ordering: .relaxed) }

  /// Adds `amount`, which may be negative.
  package func add(_ amount: Int) {
    number.wrappingAdd(Int64(amount), ordering: .relaxed)
  }

  /// Adds one.
  package func increment() { add(1) }

  /// Takes one away.
  package func decrement() { add(-1) }

  /// The number now.
  package var value: Int { Int(number.load(ordering: .relaxed)) }
}

import Synchronization

/// How often a measured value fell under each of a few fixed bounds, and the sum of the values.
///
/// Observing is a search among the bounds and two atomic operations. What is read while another
/// thread observes may miss that one observation in the sum; the counts always agree.
package final class Histogram: Sendable {
  /// Seconds, for the answer times of a server: 1 ms to 10 s.
  package static let seconds: [Double] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  /// The upper bounds, inclusive and ascending, without the infinite one.
  package let bounds: [Double]
  private let counts: [Counter.Cell]
  private let sumBits = Atomic<UInt64>(0)

  /// Makes a histogram.
  ///
  /// - Parameter bounds: upper bounds in the unit of what is observed; sorted here.
  package init(bounds: [Double]) {
    self.bounds = bounds.filter(\.isFinite).sorted()
    counts = (0...self.bounds.count).map { _ in Counter.Cell() }
  }

  /// Counts one value; NaN is ignored, for it would spoil the sum for ever.
  package func observe(_ value: Double) {
    guard !value.isNaN else { return }
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if value <= bounds[middle] { high = middle } else { low = middle + 1 }
    }
    counts[low].increment()
    var seen = sumBits.load(ordering: .relaxed)
    while true {
      let wanted = (Double(bitPattern: seen) + value).bitPattern
      let (done, now) = sumBits.weakCompareExchange(
        expected: seen, desired: wanted, ordering: .relaxed)
      if done { return }
      seen = now
    }
  }

  /// Counts a duration, in seconds.
  package func observe(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    observe(Double(seconds) + Double(attoseconds) * 1e-18)
  }

  /// The cumulative counts, one per bound and then the infinite one, and the sum.
  package func snapshot() -> (cumulative: [UInt64], sum: Double) {
    var total: UInt64 = 0
    let cumulative = counts.map { cell in
      total &+= cell.value
      return total
    }
    return (cumulative, Double(bitPattern: sumBits.load(ordering: .relaxed)))
  }
}

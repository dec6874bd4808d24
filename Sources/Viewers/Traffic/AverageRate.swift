package import EventLoop

/// How fast bytes come or go, as an average that what comes in bursts, such as segments, hardly
/// moves.
package struct AverageRate: Sendable {
  /// Over how long it is taken, once it is known for so long.
  package static let span = Duration.seconds(20)

  private struct Sample {
    let time: MonotonicTime
    let bytes: UInt64
  }

  /// How far apart samples are at least.
  private let step: Duration
  /// Oldest first; the first is the newest that is a whole span old, where any is.
  private var samples: [Sample]
  package private(set) var bitsPerSecond: UInt64 = 0

  /// Begins with nothing.
  ///
  /// - Parameters:
  ///   - now: since when bytes are counted.
  ///   - step: for how long a rate stays as it is; more than a millisecond.
  package init(at now: MonotonicTime, step: Duration) {
    self.step = step
    samples = [Sample(time: now, bytes: 0)]
  }

  /// Takes the rate anew where that is due.
  ///
  /// Where nobody has done so for longer than a span, it is the average since then.
  ///
  /// - Parameters:
  ///   - bytes: that were counted so far.
  ///   - now: when.
  package mutating func note(_ bytes: UInt64, at now: MonotonicTime) {
    guard let last = samples.last, now - last.time >= step else { return }
    samples.append(Sample(time: now, bytes: bytes))
    samples.removeFirst(
      samples.lastIndex { now - $0.time >= Self.span } ?? samples.startIndex)
    let first = samples[0]
    let milliseconds = UInt64((now - first.time) / .milliseconds(1))
    bitsPerSecond = (bytes &- first.bytes) &* 8_000 / max(1, milliseconds)
  }
}

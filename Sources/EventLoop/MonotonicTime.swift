import Glibc

/// A point on the machine's monotonic clock, in nanoseconds since boot.
package struct MonotonicTime: Comparable, Hashable, Sendable {
  package let nanoseconds: UInt64

  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Reads `CLOCK_MONOTONIC`: about 20 ns.
  package static var now: MonotonicTime {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(
      nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
  }

  package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The point `duration` later; a negative duration stops at boot, a huge one at the end of time.
  package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
    let nanoseconds = duration.nanoseconds
    if nanoseconds < 0 {
      let (value, overflow) = time.nanoseconds.subtractingReportingOverflow(
        nanoseconds.magnitude)
      return MonotonicTime(nanoseconds: overflow ? 0 : value)
    }
    let (value, overflow) = time.nanoseconds.addingReportingOverflow(UInt64(nanoseconds))
    return MonotonicTime(nanoseconds: overflow ? .max : value)
  }

  /// How long it is from `right` to `left`; negative where `right` is the later one.
  package static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
    .nanoseconds(Int64(bitPattern: left.nanoseconds &- right.nanoseconds))
  }
}

extension Duration {
  /// The whole duration in nanoseconds, clamped to what 64 bits hold (292 years).
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }
}

import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Seconds since 1970 that don't go back: what ages are counted by.
///
/// The wall's clock at first, and then as fast as the machine's own: where the wall's is set back,
/// what is kept would stay as young as it is for as long, so this one goes on. Where the wall's is
/// set forwards it follows: what then looks older than it is, is only asked for anew.
package final class EdgeClock: Sendable {
  /// What both clocks say at a moment, in nanoseconds: since 1970, and since anything.
  package typealias Reading = (wall: Int64, steady: Int64)

  package static let system = EdgeClock {
    (EdgeClock.read(CLOCK_REALTIME_COARSE), EdgeClock.read(CLOCK_MONOTONIC_COARSE))
  }

  /// How far the wall's clock may run ahead before it is followed: no line of memory is written to
  /// by all loops for less.
  private static let slack: Int64 = 100_000_000

  private let read: @Sendable () -> Reading
  /// How far the wall's was ahead of the machine's own, at most.
  private let lead: Atomic<Int64>

  /// - Parameter read: reads both clocks; called from any thread.
  package init(_ read: @escaping @Sendable () -> Reading) {
    self.read = read
    let first = read()
    lead = Atomic(first.wall - first.steady)
  }

  /// Now, for ages.
  package var now: Int64 {
    let (wall, steady) = read()
    var most = lead.load(ordering: .relaxed)
    if wall - steady > most + Self.slack {
      most = lead.max(wall - steady, ordering: .relaxed).newValue
    }
    return (steady + most) / 1_000_000_000
  }

  /// Now, for dates that others say.
  package var wall: Int64 { read().wall / 1_000_000_000 }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

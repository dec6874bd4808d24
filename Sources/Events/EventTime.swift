#if canImport(Glibc)
  import Glibc
#endif

/// The time of events.
package enum EventTime {
  /// Milliseconds since 1970.
  package static var now: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}

import Synchronization

/// When a viewer asked for a rendition's playlist last.
///
/// Noted by every loop that serves viewers, and read by the publisher's, which encodes what is
/// watched. Players ask again for every segment.
package final class RenditionInterest: Sendable {
  private let second = Atomic<UInt64>(0)

  package init() {}

  /// Notes a request.
  ///
  /// - Parameter now: seconds of the monotonic clock that all loops have.
  package func note(now: UInt64) {
    // Only the first request of a second writes, so that loops don't take the line from each other.
    if second.load(ordering: .relaxed) != now { second.store(now, ordering: .relaxed) }
  }

  /// Whether somebody has asked of late.
  ///
  /// - Parameters:
  ///   - span: in seconds.
  ///   - now: seconds of the same clock.
  /// - Returns: false before the first request.
  package func isFresh(within span: UInt64, now: UInt64) -> Bool {
    let last = second.load(ordering: .relaxed)
    return last > 0 && last + span >= now
  }
}

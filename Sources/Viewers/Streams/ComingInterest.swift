import Synchronization

/// Which renditions viewers wait for that have yet to begin.
///
/// Noted by every loop that serves viewers. Names come from addresses, so only so many are kept.
package final class ComingInterest: Sendable {
  /// A stream has a dozen renditions.
  private static let most = 64

  /// When each was asked for last, in seconds, by its name.
  private let seconds = Mutex<[String: UInt64]>([:])

  package init() {}

  /// Notes that somebody waits.
  ///
  /// - Parameters:
  ///   - name: of the rendition, as it was asked for.
  ///   - now: seconds of the monotonic clock that all loops have.
  package func note(_ name: [UInt8], now: UInt64) {
    let name = String(decoding: name, as: UTF8.self)
    seconds.withLock { seconds in
      if seconds.count >= Self.most, seconds[name] == nil {
        guard let oldest = seconds.min(by: { $0.value < $1.value }) else { return }
        seconds[oldest.key] = nil
      }
      seconds[name] = now
    }
  }

  /// The names of those that were asked for of late.
  ///
  /// - Parameters:
  ///   - span: in seconds.
  ///   - now: seconds of the same clock.
  /// - Returns: none before the first request.
  package func fresh(within span: UInt64, now: UInt64) -> Set<String> {
    seconds.withLock { Set($0.filter { $0.value + span >= now }.keys) }
  }
}

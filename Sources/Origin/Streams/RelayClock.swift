import Media
import RTMP
import Ingest

/// The clock that a stream's players see: it goes on over all publishers, and never back.
struct RelayClock {
  /// Added to a publisher's timestamps, so that players' clocks go on when the next one starts at
  /// 0.
  private var offset: UInt32?
  /// The latest time that players have been given, and what it was when the publisher began.
  private var last: UInt32?
  private var floor: UInt32?

  /// Another publisher follows.
  mutating func begin() {
    offset = nil
    floor = last
  }

  /// The timestamp under which players get a message.
  ///
  /// - Parameters:
  ///   - timestamp: as it came.
  ///   - role: what it is to a decoder.
  ///   - time: its frame's, repaired; nil for headers and data, which take the time of what was
  ///     last: encoders that repeat them give them any. Metadata has none (at any time but 0,
  ///     ffmpeg takes it for a track of text).
  /// - Returns: in milliseconds, as RTMP counts them.
  mutating func stamp(
    _ timestamp: UInt32, _ role: RelayMessage.Role, at time: MediaTime?
  ) -> UInt32 {
    guard let time else { return role == .metadata ? 0 : last ?? timestamp }
    let own = UInt32(truncatingIfNeeded: time.milliseconds)
    let offset = offset ?? floor.map { $0 &+ 20 &- own } ?? 0
    self.offset = offset
    var stamp = own &+ offset
    if let floor, stamp.isBefore(floor) { stamp = floor }
    if last?.isBefore(stamp) != false { last = stamp }
    return stamp
  }
}

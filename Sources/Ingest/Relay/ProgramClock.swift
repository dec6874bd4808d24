import RTMP

/// The time of a program for its players: it goes on over cameras, whose own clocks have nothing to
/// do with each other.
///
/// RTMP's milliseconds of 32 bits, which wrap.
struct ProgramClock {
  /// What a switch takes, for who measures: half a picture at 25 a second.
  private static let step: UInt32 = 20

  private var offset: UInt32 = 0
  private var last: UInt32?

  /// Another camera's messages follow; what it sends next comes right after what was sent last.
  ///
  /// - Parameter newest: the time of its newest message, on its own clock; nil where it has none
  ///   yet.
  mutating func begin(_ newest: UInt32?) {
    guard let last, let newest else { return isFresh = true }
    offset = last &+ Self.step &- newest
    isFresh = false
  }

  /// The next message sets the clock.
  private var isFresh = true

  /// A message at its time for players; headers without a time stay without.
  mutating func restamp(_ message: RelayMessage) -> RelayMessage {
    guard message.role != .metadata else { return message }
    let isFrame = !message.role.isHeader
    if isFresh, isFrame {
      if let last { offset = last &+ Self.step &- message.message.timestamp }
      isFresh = false
    }
    var copy = message.message
    copy.timestamp &+= offset
    if isFrame, last.map({ Int32(bitPattern: copy.timestamp &- $0) > 0 }) ?? true {
      last = copy.timestamp
    }
    // The image on the wire has the camera's own time.
    return offset == 0 ? message : RelayMessage(message.role, copy)
  }
}

package import RTMP

/// The times of the last picture and the last sound of a client, as `/stat` shows them.
package struct MediaClock: Equatable, Sendable {
  /// The last of either, in milliseconds of the stream's own time; wraps after 2^32.
  package private(set) var timestamp: UInt32 = 0
  private var video: UInt32?
  private var audio: UInt32?

  package init() {}

  /// How far the sound is ahead of the picture, in milliseconds; 0 where one of them is missing.
  package var avSync: Int32 {
    guard let video, let audio else { return 0 }
    return Int32(bitPattern: audio &- video)
  }

  /// Remembers a message that was received, or sent; others than media don't count.
  package mutating func note(_ message: Message) {
    switch message.type {
    case .video: video = message.timestamp
    case .audio: audio = message.timestamp
    default: return
    }
    timestamp = message.timestamp
  }
}

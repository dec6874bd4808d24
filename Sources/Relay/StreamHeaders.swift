import RTMP

/// The newest description of a stream and of each of its tracks.
struct StreamHeaders {
  /// Real ones have some hundred bytes.
  private static let limitBytes = 1 << 20
  private static let limit = 32

  private var metadata: Message?
  private var tracks: [(id: UInt16, message: Message)] = []
  /// Whether pictures have been announced.
  private(set) var hasVideo = false

  /// Remembers a message, if it is one of them; one that is out of all proportion is not kept.
  mutating func note(_ role: MessageRole, _ message: Message) {
    switch role {
    case .metadata:
      if message.payload.count <= Self.limitBytes { metadata = message }
    case .header(let id):
      if id & 0x300 != 0 { hasVideo = true }
      guard message.payload.count <= Self.limitBytes else { return }
      if let index = tracks.firstIndex(where: { $0.id == id }) {
        tracks[index].message = message
      } else if tracks.count < Self.limit {
        tracks.append((id, message))
      }
    case .keyframe, .video: hasVideo = true
    case .audio, .data: break
    }
  }

  /// What a receiver needs ahead of a message of this time.
  func opening(at timestamp: UInt32) -> [Message] {
    var opening: [Message] = []
    if var metadata {
      metadata.timestamp = 0
      opening.append(metadata)
    }
    for track in tracks {
      var message = track.message
      message.timestamp = timestamp
      opening.append(message)
    }
    return opening
  }
}

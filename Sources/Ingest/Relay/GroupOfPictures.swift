import RTMP

/// What a player needs to start at once: the headers, and everything since the last keyframe.
///
/// Bounded in bytes: a group that outgrows the limit is forgotten, and players then wait for the
/// next keyframe.
package struct GroupOfPictures: Sendable {
  package let limitBytes: Int
  private var metadata: RelayMessage?
  private var videoHeader: RelayMessage?
  private var audioHeader: RelayMessage?
  private var messages: [RelayMessage] = []
  package private(set) var keptBytes = 0
  /// Whether the group ran over its limit and waits for the next keyframe.
  private var isOverflowing = false

  package init(limitBytes: Int) { self.limitBytes = limitBytes }

  /// Whether pictures have been announced; players of a stream without any start with sound.
  package var hasVideo: Bool { videoHeader != nil }

  /// Takes the next message of the stream.
  package mutating func append(_ message: RelayMessage) {
    switch message.role {
    case .metadata: metadata = message
    case .data: break
    case .videoHeader: videoHeader = message
    case .audioHeader: audioHeader = message
    case .keyframe:
      restart()
      keep(message)
    case .video:
      // Without the keyframe before it, it can't be decoded.
      if !messages.isEmpty, !isOverflowing { keep(message) }
    case .audio:
      if !hasVideo { restart() }
      if !isOverflowing, !hasVideo || !messages.isEmpty { keep(message) }
    }
  }

  /// Headers and messages in the order a new player gets them.
  package var start: [RelayMessage] {
    // Headers take the time of what follows, so that a player's clock doesn't start in the past;
    // metadata has none (at any time but 0, ffmpeg takes it for a track of text).
    let timestamp = messages.first?.message.timestamp
    return [metadata, videoHeader, audioHeader].compactMap { header in
      guard let header, let timestamp else { return header }
      var message = header.message
      message.timestamp = header.role == .metadata ? 0 : timestamp
      return RelayMessage(header.role, message)
    } + messages
  }

  /// Forgets everything; a new publisher brings its own.
  package mutating func removeAll() { self = GroupOfPictures(limitBytes: limitBytes) }

  private mutating func restart() {
    messages.removeAll(keepingCapacity: true)
    keptBytes = 0
    isOverflowing = false
  }

  private mutating func keep(_ message: RelayMessage) {
    guard keptBytes + message.keptBytes <= limitBytes else {
      restart()
      isOverflowing = true
      return
    }
    messages.append(message)
    keptBytes += message.keptBytes
  }
}

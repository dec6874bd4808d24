import RTMP

/// The players of one stream on one loop, and what a new one of them starts with.
///
/// Each message is encoded once for all of them, those who come later included.
final class RelayGroup {
  private(set) var players: [RTMPPlayer] = []
  private var group: GroupOfPictures
  private let chunkSize: Int
  private var isLive = false

  init(_ configuration: IngestConfiguration) {
    group = GroupOfPictures(limitBytes: configuration.gopCacheBytes)
    chunkSize = configuration.rtmp.sendChunkSizeBytes
  }

  func add(_ player: RTMPPlayer) {
    players.append(player)
    if isLive { player.start(start, hasVideo: group.hasVideo) }
  }

  func remove(_ player: RTMPPlayer) { players.removeAll { $0 === player } }

  func deliver(_ event: RelayEvent) {
    switch event {
    case .start(let messages):
      group.removeAll()
      for message in messages { keep(encode(message)) }
      isLive = true
      let start = start
      for player in players { player.start(start, hasVideo: group.hasVideo) }
    case .messages(let messages):
      guard isLive else { return }
      for message in messages {
        let image = encode(message)
        keep(image)
        for player in players { player.offer(image, hasVideo: group.hasVideo) }
      }
    case .interrupted:
      isLive = false
      for player in players { player.sourceInterrupted() }
    case .over:
      isLive = false
      for player in players { player.sourceEnded() }
    }
  }

  /// What a new player gets; all of them share its bytes.
  var start: [EncodedMessage] { group.start.map(encode) }

  private func keep(_ message: EncodedMessage) {
    group.append(RelayMessage(message.role, message.message, image: message.image))
  }

  private func encode(_ message: RelayMessage) -> EncodedMessage {
    EncodedMessage(
      role: message.role, message: message.message,
      image: message.image
        ?? WireImage(
          type: message.message.type, timestamp: message.message.timestamp,
          payload: message.message.payload.span, chunkSize: chunkSize))
  }
}

/// A message with its bytes on the wire, shared by all players of a loop.
struct EncodedMessage {
  let role: RelayMessage.Role
  let message: Message
  let image: WireImage
}

import RTMP

/// The players of one stream on one loop, and what a new one of them starts with.
///
/// Each message is encoded once for all of them.
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
    if isLive { player.start(encode(group.start), hasVideo: group.hasVideo) }
  }

  func remove(_ player: RTMPPlayer) { players.removeAll { $0 === player } }

  func deliver(_ event: RelayEvent) {
    switch event {
    case .start(let messages):
      group.removeAll()
      for message in messages { group.append(message) }
      isLive = true
      let images = encode(messages)
      for player in players { player.start(images, hasVideo: group.hasVideo) }
    case .messages(let messages):
      guard isLive else { return }
      for message in messages {
        group.append(message)
        let image = encode(message)
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

  private func encode(_ messages: [RelayMessage]) -> [EncodedMessage] { messages.map(encode) }

  private func encode(_ message: RelayMessage) -> EncodedMessage {
    EncodedMessage(
      role: message.role, message: message.message,
      image: WireImage(
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

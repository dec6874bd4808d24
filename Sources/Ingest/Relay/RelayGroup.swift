import RTMP
import Telemetry

/// The players of one stream on one loop, and what a new one of them starts with.
///
/// Each message is encoded once for all of them, those who come later included.
final class RelayGroup {
  private(set) var players: [RTMPPlayer] = []
  private var group: GroupOfPictures
  private let chunkSize: Int
  private var isLive = false
  /// Programs that show this camera.
  private var followers: [RelayGroup] = []
  /// Of a program; a camera has its own time.
  private var clock: ProgramClock?
  /// Gives out what its players are counted by; nil where nobody counts.
  private let count: (() -> PlayerCount)?
  /// From when there is something to be sent.
  private var counted: PlayerCount?

  /// Makes a group without players.
  ///
  /// - Parameters:
  ///   - configuration: of players.
  ///   - isProgram: whether it shows one camera after another.
  ///   - count: gives out what its players are counted by; nil where nobody counts.
  init(
    _ configuration: IngestConfiguration, isProgram: Bool = false,
    count: (() -> PlayerCount)? = nil
  ) {
    self.count = count
    group = GroupOfPictures(limitBytes: configuration.gopCacheBytes)
    chunkSize = configuration.rtmp.sendChunkSizeBytes
    clock = isProgram ? ProgramClock() : nil
  }

  /// Whether nobody needs it.
  var isEmpty: Bool { players.isEmpty && followers.isEmpty }

  /// A program shows this camera from here on.
  func add(follower: RelayGroup) {
    followers.append(follower)
    if isLive { follower.deliver(.start(group.start)) }
  }

  /// A program shows another camera.
  func remove(follower: RelayGroup) { followers.removeAll { $0 === follower } }

  func add(_ player: RTMPPlayer) {
    players.append(player)
    player.tally = counted?.tally
    if isLive { player.start(start, hasVideo: group.hasVideo) }
  }

  func remove(_ player: RTMPPlayer) { players.removeAll { $0 === player } }

  func deliver(_ event: RelayEvent) {
    take(event)
    guard !followers.isEmpty else { return }
    // A camera that is over may be followed by another one.
    let event = if case .over = event { RelayEvent.interrupted } else { event }
    for follower in followers { follower.deliver(event) }
  }

  private func take(_ event: RelayEvent) {
    switch event {
    case .start(let messages):
      group.removeAll()
      clock?.begin(messages.last { !$0.role.isHeader }?.message.timestamp)
      for message in messages { keep(encode(stamped(message))) }
      isLive = true
      if counted == nil, let count {
        let begun = count()
        counted = begun
        for player in players { player.tally = begun.tally }
      }
      let start = start
      for player in players { player.start(start, hasVideo: group.hasVideo) }
    case .messages(let messages):
      guard isLive else { return }
      if players.isEmpty, !followers.isEmpty {
        // Those who play the program get their own.
        for message in messages { group.append(stamped(message)) }
        return
      }
      for message in messages {
        let image = encode(stamped(message))
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

  private func stamped(_ message: RelayMessage) -> RelayMessage {
    clock?.restamp(message) ?? message
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

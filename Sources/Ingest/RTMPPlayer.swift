import Media
import RTMP
import Telemetry

/// One client that plays a stream: it gets what its socket takes, and never more than its share
/// of memory.
final class RTMPPlayer {
  let key: StreamKey
  var isPaused = false {
    didSet { if oldValue, !isPaused { waitsForKeyframe = true } }
  }

  /// Counts the messages that it is sent, without chunk headers; nil where nobody does.
  var tally: Tally?

  private unowned let connection: RTMPConnection
  let streamID: UInt32
  private let limitBytes: Int
  private var hasStarted = false
  private var wasInterrupted = false
  private var waitsForKeyframe = true
  /// Whether the stream was known to have pictures when the last message came.
  private var knowsVideo = false

  init(_ connection: RTMPConnection, streamID: UInt32, key: StreamKey) {
    self.connection = connection
    self.streamID = streamID
    self.key = key
    limitBytes = connection.playerQueueBytes
  }

  /// The source has begun: a new player gets all of the group, one that had started before only
  /// the headers, and goes on at the next keyframe.
  func start(_ messages: [EncodedMessage], hasVideo: Bool) {
    if wasInterrupted { connection.notify(streamID, isPublished: true) }
    wasInterrupted = false
    let isFirst = !hasStarted
    hasStarted = true
    knowsVideo = hasVideo
    waitsForKeyframe = !isFirst || !messages.contains { $0.role == .keyframe }
    for message in messages where isFirst || message.role.isHeader { send(message) }
  }

  /// The next message of the stream.
  func offer(_ message: EncodedMessage, hasVideo: Bool) {
    guard !isPaused else { return }
    if hasVideo, !knowsVideo {
      knowsVideo = true
      waitsForKeyframe = true
    }
    if waitsForKeyframe {
      let canStart = message.role == .keyframe || (message.role == .audio && !hasVideo)
      if message.role.isHeader { return send(message) }
      guard canStart, connection.queuedBytes <= limitBytes / 2 else { return }
      waitsForKeyframe = false
    } else if connection.queuedBytes > limitBytes {
      waitsForKeyframe = true
      connection.countDrop()
      if message.role.isHeader { send(message) }
      return
    }
    send(message)
  }

  /// The publisher is lost and may come back.
  func sourceInterrupted() { wasInterrupted = true }

  /// The stream has ended.
  func sourceEnded() {
    wasInterrupted = true
    connection.notify(streamID, isPublished: false)
  }

  private func send(_ message: EncodedMessage) {
    connection.clock.note(message.message)
    if streamID == message.image.streamID, connection.sendChunkSize == message.image.chunkSize {
      connection.send(message.image.bytes)
    } else {
      connection.sendMessage(message.message, streamID: streamID)
    }
    tally?.add(message.message.payload.count)
  }
}

package import Bytes

/// A server's side of one RTMP connection, without its socket.
///
/// The owner hands it what the socket received and takes one event at a time; it answers a
/// request before it takes the next event, or leaves the rest of the bytes where they are until
/// it can. Answers are appended to the owner's output in the order of the calls.
///
///     var cursor = ByteCursor()
///     while let event = try session.receive(bytes, &cursor, into: &output) { … }
///
/// Once it has thrown it is over and throws the same again. It is confined to its loop.
package final class ServerSession {
  /// What a client has on one message stream.
  package enum Role: Equatable, Sendable {
    case idle, publishRequested, publishing, playRequested, playing
  }

  struct Stream {
    let id: UInt32
    var role = Role.idle
    var name = ""
    var resetsPlaylist = false

    var isPublished: Bool { role == .publishing || role == .publishRequested }
  }

  private enum Phase {
    case handshake(ServerHandshake)
    case open
    case failed(ProtocolError)
  }

  private var phase: Phase
  var link: Link
  private var aggregate: Aggregate?
  var pending: [ServerEvent] = []
  var streams: [Stream] = []
  /// The transaction of a `connect` that waits for its answer.
  var connectTransaction: Double?
  /// Whether `FCPublish` came: such clients hear `onFCPublish` too.
  var usesFCPublish = false
  /// The stream that the client has published last, and ended; nil once it asks for another one.
  package internal(set) var endedPublication: UInt32?

  /// What the client said in `connect`; nil before.
  package internal(set) var connection: ConnectRequest?
  /// What both sides know of Enhanced RTMP; nil before `acceptConnect`.
  package internal(set) var enhanced: EnhancedCapabilities?
  /// What the client turned out to speak; nil before C1 is whole.
  package private(set) var handshake: ServerHandshake.Kind?
  /// Media messages that belonged to no stream being published.
  package private(set) var strayMessages: UInt64 = 0
  /// All bytes received.
  package var receivedBytes: UInt64 { link.received }
  /// What unfinished messages hold, in bytes.
  package var heldBytes: Int { link.reader.heldBytes }
  /// The chunk size in force towards the client: what a `WireImage` must be made with.
  package var sendChunkSize: Int { link.writer.chunkSize }

  /// Starts with an empty connection.
  ///
  /// - Parameters:
  ///   - limits: what the client may take.
  ///   - seed: what the handshake's filler is made from.
  package init(limits: Limits = Limits(), seed: UInt64 = .random(in: .min ... .max)) {
    phase = .handshake(ServerHandshake(seed: seed))
    link = Link(limits: limits)
    link.reader.memoryBytes = min(limits.memoryBytes, limits.strangerBytes)
  }

  /// Reads up to the next event.
  ///
  /// - Parameters:
  ///   - bytes: what the socket received; reading starts at the cursor.
  ///   - cursor: moved past what was read.
  ///   - output: where answers are appended. The owner bounds it: a client that asks and never
  ///     reads must not make it grow.
  /// - Returns: the event, or nil: all bytes were read.
  /// - Throws: `ProtocolError`: send what is in `output`, if anything, and close.
  package func receive(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, into output: inout [UInt8]
  ) throws(ProtocolError) -> ServerEvent? {
    do {
      return try advance(bytes, &cursor, into: &output)
    } catch {
      phase = .failed(error)
      throw error
    }
  }

  private func advance(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, into output: inout [UInt8]
  ) throws(ProtocolError) -> ServerEvent? {
    switch phase {
    case .open: break
    case .failed(let error): throw error
    case .handshake(var handshake):
      let start = cursor.offset
      let isDone = try handshake.receive(bytes, &cursor, into: &output)
      link.count(cursor.offset - start)
      self.handshake = handshake.kind
      phase = isDone ? .open : .handshake(handshake)
      guard isDone else { return nil }
    }
    while true {
      if !pending.isEmpty { return pending.removeFirst() }
      if aggregate != nil {
        if let message = try aggregate?.next() {
          if let event = media(message) { return event }
          continue
        }
        aggregate = nil
      }
      guard let message = try link.next(bytes, &cursor, into: &output) else { return nil }
      switch message.type {
      case .audio, .video, .data, .dataAMF3:
        if let event = media(message) { return event }
      case .aggregate: aggregate = Aggregate(message, tags: link.limits.aggregateTags)
      case .command, .commandAMF3: try command(message, into: &output)
      default: break
      }
    }
  }

  /// The event of a media message, or nil if nobody publishes on its stream.
  private func media(_ message: Message) -> ServerEvent? {
    guard let index = publishingStream(message.streamID) else {
      strayMessages += 1
      return nil
    }
    var message = message
    message.streamID = streams[index].id
    switch message.type {
    case .audio: return .audio(message)
    case .video: return .video(message)
    default: return message.strippedData().map { .data($0) }
    }
  }

  /// The stream a media message belongs to.
  ///
  /// Some encoders write an id that was never given out: if one stream is published, theirs is
  /// that one.
  private func publishingStream(_ id: UInt32) -> Int? {
    var only: Int?
    var count = 0
    for index in streams.indices {
      if streams[index].id == id { return streams[index].isPublished ? index : nil }
      guard streams[index].isPublished else { continue }
      only = index
      count += 1
    }
    return count == 1 ? only : nil
  }

  /// What the client has on a message stream.
  package func role(of streamID: UInt32) -> Role? {
    streams.first { $0.id == streamID }?.role
  }

  /// Pings a client that has gone quiet; call it every few seconds.
  ///
  /// - Parameters:
  ///   - now: milliseconds of any clock that doesn't go back.
  ///   - output: where a ping is appended.
  /// - Returns: false: the client has been silent for longer than the limit; close.
  package func keepAlive(at now: UInt64, into output: inout [UInt8]) -> Bool {
    link.keepAlive(at: now, into: &output)
  }

  /// Sends one message to a player, for those who have no `WireImage`.
  package func send(
    _ type: MessageType, streamID: UInt32, timestamp: UInt32, payload: borrowing Span<UInt8>,
    into output: inout [UInt8]
  ) {
    link.writer.write(
      type, on: ChunkStreamID.of(type), streamID: streamID, timestamp: timestamp,
      payload: payload, into: &output)
  }
}

extension Message {
  private static let setDataFrame: [UInt8] = {
    var bytes: [UInt8] = []
    bytes.append(amf0: "@setDataFrame")
    return bytes
  }()

  /// The data message as players get it: AMF0, without `@setDataFrame` before the handler's name.
  ///
  /// - Returns: nil if nothing is left of it.
  func strippedData() -> Message? {
    var start = 0
    if type == .dataAMF3, payload.first == 0 { start = 1 }
    if payload[start...].starts(with: Self.setDataFrame) { start += Self.setDataFrame.count }
    guard start < payload.count else { return nil }
    var message = self
    message.type = .data
    if start > 0 { message.payload = Array(payload[start...]) }
    return message
  }
}

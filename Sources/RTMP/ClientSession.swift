package import Bytes

/// A client's side of one RTMP connection, without its socket: it publishes or plays one stream.
///
/// Call `start` once the socket is connected, then `receive` with what comes, one event at a time.
/// Media may be sent after `.started`. Once it has thrown it is over and throws the same again.
package final class ClientSession {
  package enum Purpose: Sendable { case publish, play }

  /// Where to and as what.
  package struct Configuration: Sendable {
    package var purpose: Purpose
    /// The address without the stream's name: `rtmp://host/live`.
    package var tcUrl: String
    package var app: String
    /// The stream's name with its query.
    package var streamName: String
    package var flashVersion = "FMLE/3.0 (compatible; FMSc/1.0)"
    package var enhanced = EnhancedCapabilities()
    package var limits = Limits()

    package init(_ purpose: Purpose, tcUrl: String, app: String, streamName: String) {
      self.purpose = purpose
      self.tcUrl = tcUrl
      self.app = app
      self.streamName = streamName
    }
  }

  private enum Phase {
    case handshake(ClientHandshake)
    case connecting, creating, requesting, started, ended
    case failed(ProtocolError)
  }

  private enum Transaction {
    static let connect = 1.0
    static let releaseStream = 2.0
    static let fcPublish = 3.0
    static let createStream = 4.0
    static let request = 5.0
    static let fcUnpublish = 6.0
    static let deleteStream = 7.0
  }

  private let configuration: Configuration
  private var phase: Phase
  private var link: Link
  private var aggregate: Aggregate?
  /// The message stream the server gave us; 0 before.
  package private(set) var streamID: UInt32 = 0
  /// What the server said of Enhanced RTMP; nil before it answered `connect`.
  package private(set) var enhanced: EnhancedCapabilities?
  /// How far the server's viewers had the stream when it took it; nil where it doesn't say so.
  package private(set) var startProgress: RelayProgress?
  /// Under which grant the server has the stream, as it said last; nil where it doesn't say so.
  package private(set) var grant: StreamGrant?
  /// Whether the server has said that it has let go of the stream, which `close` asks for.
  package private(set) var isReleased = false
  /// All bytes received.
  package var receivedBytes: UInt64 { link.received }
  /// How many of the bytes sent, from the handshake on, the server says that it has read.
  package var readBytes: UInt64 { link.peerRead }
  /// How many pings it has answered.
  package var pongs: UInt64 { link.pongs }

  package init(_ configuration: Configuration, seed: UInt64 = .random(in: .min ... .max)) {
    self.configuration = configuration
    phase = .handshake(ClientHandshake(seed: seed))
    link = Link(limits: configuration.limits)
  }

  /// Whether media may be sent, or is received.
  package var isStarted: Bool { if case .started = phase { true } else { false } }

  /// Sends the first bytes of the handshake.
  package func start(into output: inout [UInt8]) {
    guard case .handshake(let handshake) = phase else { return }
    handshake.start(into: &output)
  }

  /// Reads up to the next event.
  ///
  /// - Parameters:
  ///   - bytes: what the socket received; reading starts at the cursor.
  ///   - cursor: moved past what was read.
  ///   - output: where what has to be sent is appended.
  /// - Returns: the event, or nil: all bytes were read.
  /// - Throws: `ProtocolError`: close.
  package func receive(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, into output: inout [UInt8]
  ) throws(ProtocolError) -> ClientEvent? {
    do {
      return try advance(bytes, &cursor, into: &output)
    } catch {
      phase = .failed(error)
      throw error
    }
  }

  private func advance(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, into output: inout [UInt8]
  ) throws(ProtocolError) -> ClientEvent? {
    switch phase {
    case .failed(let error): throw error
    case .handshake(var handshake):
      let start = cursor.offset
      let isDone = try handshake.receive(bytes, &cursor, into: &output)
      link.count(cursor.offset - start)
      phase = isDone ? .connecting : .handshake(handshake)
      guard isDone else { return nil }
      connect(into: &output)
    default: break
    }
    while true {
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
      case .aggregate: aggregate = Aggregate(message)
      case .command, .commandAMF3:
        if let event = try command(message, into: &output) { return event }
      default: break
      }
    }
  }

  private func media(_ message: Message) -> ClientEvent? {
    switch message.type {
    case .audio: .audio(message)
    case .video: .video(message)
    default: message.strippedData().map { .data($0) }
    }
  }

  // MARK: The way to the stream

  private func connect(into output: inout [UInt8]) {
    link.writer.control(
      .windowAcknowledgementSize, link.limits.windowBytes, into: &output)
    link.writer.setChunkSize(link.limits.sendChunkSizeBytes, into: &output)
    var object: AMFObject = [
      "app": .string(configuration.app), "flashVer": .string(configuration.flashVersion),
      "tcUrl": .string(configuration.tcUrl),
    ]
    if configuration.purpose == .publish {
      object.append("type", "nonprivate")
    } else {
      object.append("fpad", false)
      object.append("capabilities", 15)
      object.append("audioCodecs", 4071)
      object.append("videoCodecs", 252)
      object.append("videoFunction", 1)
    }
    configuration.enhanced.append(to: &object)
    send(Command("connect", Transaction.connect, [.object(object)]), into: &output)
  }

  private func command(
    _ message: Message, into output: inout [UInt8]
  ) throws(ProtocolError) -> ClientEvent? {
    let command = try Command(
      message.payload.span, type: message.type, limits: link.limits.amf)
    switch command.name {
    case "_result": return result(command, into: &output)
    case "_error": return refusal(command)
    case "onStatus": return status(command)
    case "onFCUnpublish":
      if case .ended = phase { isReleased = true }
      return nil
    case "close":
      phase = .ended
      return .ended(Status(.status, "NetConnection.Connect.Closed", "Closed by the server."))
    default: return nil
    }
  }

  private func result(_ command: Command, into output: inout [UInt8]) -> ClientEvent? {
    switch (phase, command.transaction) {
    case (.connecting, Transaction.connect):
      phase = .creating
      var capabilities = EnhancedCapabilities(command.argument(0)?.object ?? AMFObject())
      if capabilities.isEmpty {
        capabilities = EnhancedCapabilities(command.argument(1)?.object ?? AMFObject())
      }
      enhanced = capabilities
      if configuration.purpose == .publish {
        let name = AMFValue.string(configuration.streamName)
        send(Command("releaseStream", Transaction.releaseStream, [.null, name]), into: &output)
        send(Command("FCPublish", Transaction.fcPublish, [.null, name]), into: &output)
      }
      send(Command("createStream", Transaction.createStream), into: &output)
      return .connected(capabilities)
    case (.creating, Transaction.createStream):
      phase = .requesting
      streamID = command.argument(1)?.uint32 ?? 1
      request(into: &output)
    default: break
    }
    return nil
  }

  private func request(into output: inout [UInt8]) {
    let name = AMFValue.string(configuration.streamName)
    switch configuration.purpose {
    case .publish:
      let publish = Command("publish", Transaction.request, [.null, name, "live"])
      link.send(publish, streamID: streamID, into: &output)
    case .play:
      let play = Command("play", Transaction.request, [.null, name, -2])
      link.send(play, streamID: streamID, into: &output)
      var buffer: [UInt8] = []
      buffer.append(u16: UserControl.setBufferLength)
      buffer.append(u32: streamID)
      buffer.append(u32: 3000)
      link.writer.write(
        .userControl, on: ChunkStreamID.control, payload: buffer.span, into: &output)
    }
  }

  /// What an `_error` means: refusals of commands that nobody needs are nothing.
  private func refusal(_ command: Command) -> ClientEvent? {
    let isConnect = command.transaction == Transaction.connect
    guard
      isConnect || command.transaction == Transaction.createStream
        || command.transaction == Transaction.request
    else { return nil }
    phase = .ended
    return .refused(
      Status(command.arguments)
        ?? Status(.error, isConnect ? "NetConnection.Connect.Rejected" : "NetStream.Failed", ""))
  }

  private func status(_ command: Command) -> ClientEvent? {
    guard let status = Status(command.arguments) else { return nil }
    switch (status.code, phase) {
    case ("NetConnection.Connect.ReconnectRequest", _):
      return .reconnectRequested(tcUrl: status.more["tcUrl"]?.string, status.text)
    case ("NetStream.Publish.Start", .requesting) where configuration.purpose == .publish,
      ("NetStream.Play.Start", .requesting) where configuration.purpose == .play:
      phase = .started
      startProgress = RelayProgress(status)
      grant = StreamGrant(status)
      return .started
    // What is announced last is told when the end has been heard.
    case (RelayProgress.code, .started), (RelayProgress.code, .ended):
      grant = StreamGrant(status) ?? grant
      return RelayProgress(status).map { .progressed($0) }
    case (_, .ended):
      if status.level == .error { isReleased = true }
      return nil
    case (_, .started) where status.level == .error, ("NetStream.Play.UnpublishNotify", _),
      ("NetStream.Play.Stop", _), ("NetStream.Play.Complete", _),
      ("NetStream.Unpublish.Success", _):
      phase = .ended
      return .ended(status)
    case (_, _) where status.level == .error:
      phase = .ended
      return .refused(status)
    default: return nil
    }
  }

  private func send(_ command: Command, into output: inout [UInt8]) {
    link.send(command, into: &output)
  }

  // MARK: Publishing

  /// Sends one audio, video or data message; nothing before `.started`.
  ///
  /// - Parameters:
  ///   - type: the message's type.
  ///   - timestamp: milliseconds, 32 bits, wraps.
  ///   - payload: an FLV tag's body.
  ///   - output: where the bytes are appended.
  package func send(
    _ type: MessageType, timestamp: UInt32, payload: borrowing Span<UInt8>,
    into output: inout [UInt8]
  ) {
    guard isStarted else { return }
    link.writer.write(
      type, on: ChunkStreamID.of(type), streamID: streamID, timestamp: timestamp,
      payload: payload, into: &output)
  }

  /// Writes what stands before a payload that the caller sends itself, right behind it.
  ///
  /// - Parameters:
  ///   - type: the message's type.
  ///   - timestamp: milliseconds, 32 bits, wraps.
  ///   - payloadBytes: how long the payload is.
  ///   - output: where the bytes are appended.
  /// - Returns: false: nothing was written, as the payload doesn't fit one chunk.
  package func sendHeader(
    _ type: MessageType, timestamp: UInt32, payloadBytes: Int, into output: inout [UInt8]
  ) -> Bool {
    guard isStarted, payloadBytes <= link.writer.chunkSize else { return false }
    _ = link.writer.writeHeader(
      type, on: ChunkStreamID.of(type), streamID: streamID, timestamp: timestamp,
      length: payloadBytes, into: &output)
    return true
  }

  /// Sends the stream's metadata.
  package func sendMetadata(_ metadata: AMFObject, into output: inout [UInt8]) {
    var payload: [UInt8] = []
    payload.append(amf0: "@setDataFrame")
    payload.append(amf0: "onMetaData")
    payload.append(amf0: .ecmaArray(metadata))
    send(.data, timestamp: 0, payload: payload.span, into: &output)
  }

  /// Ends the stream; close the socket once it is sent.
  package func close(into output: inout [UInt8]) {
    guard streamID != 0 else { return }
    if configuration.purpose == .publish {
      let name = AMFValue.string(configuration.streamName)
      send(Command("FCUnpublish", Transaction.fcUnpublish, [.null, name]), into: &output)
    }
    send(
      Command("deleteStream", Transaction.deleteStream, [.null, .number(Double(streamID))]),
      into: &output)
    phase = .ended
  }

  /// Pings a server that has gone quiet.
  ///
  /// - Parameters:
  ///   - now: the time in milliseconds, by any clock that goes on.
  ///   - pause: after how many milliseconds without a word it is pinged, where that is sooner than
  ///     the limits say.
  ///   - output: where a ping goes.
  /// - Returns: false: it has been silent for too long.
  package func keepAlive(
    at now: UInt64, pingingAfter pause: UInt64 = .max, into output: inout [UInt8]
  ) -> Bool {
    link.keepAlive(at: now, pingingAfter: pause, into: &output)
  }
}

/// What a server answers or sends.
package enum ClientEvent: Equatable, Sendable {
  /// `connect` was accepted.
  case connected(EnhancedCapabilities)
  /// The stream is published or played from here on.
  case started
  /// The server said no, to the connection or the stream.
  case refused(Status)
  case audio(Message)
  case video(Message)
  case data(Message)
  /// The server goes away soon: connect again, elsewhere if there is an address.
  case reconnectRequested(tcUrl: String?, String)
  /// How far viewers have what is published.
  case progressed(RelayProgress)
  /// The stream is over.
  case ended(Status)
}

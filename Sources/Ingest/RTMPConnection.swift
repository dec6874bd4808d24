import Bytes
package import EventLoop
package import Media
package import RTMP
import TLS
import Telemetry

/// A client of the RTMP server: what it asks for, what it sends, and how long it may be silent.
package final class RTMPConnection: Transport {
  /// What a client that reads nothing may make us hold, besides media.
  private static let answerLimitBytes = 256 << 10
  private static let tick = Duration.seconds(1)
  /// A second of media has some hundred; whoever sends millions shall not stop the others.
  private static let messagesPerTurn = 1_000

  enum Publication {
    case none
    /// Asked for; what came meanwhile waits.
    case requested(streamID: UInt32, early: [(PublishSink.Kind, Message)], bytes: Int)
    case live(streamID: UInt32, PublishSink)
  }

  /// What the client said in `connect`; nil before.
  package var connectRequest: ConnectRequest? { session.connection }
  package let acceptedAt: MonotonicTime
  /// When the last picture or sound came; before the first, when it was asked for or admitted.
  package var lastMedia: MonotonicTime { patience.lastMedia }

  /// The times of what it sent last, or of what it was sent last.
  package internal(set) var clock = MediaClock()

  let session: ServerSession
  unowned let server: IngestServer
  private var output: [UInt8] = []
  /// What came and is not taken yet, as there were too many messages in it for one turn.
  private var backlog: [UInt8] = []
  var publication = Publication.none
  private var publicationNumber: UInt64 = 0
  var player: RTMPPlayer?
  /// The stream that the client asks to play, until that is decided.
  var playRequest: UInt32?
  private var playEnded: () -> Void = {}
  var patience: ConnectionPatience
  var countedReceived: UInt64 = 0
  var countedSent: UInt64 = 0
  /// Whether its TLS handshake is one of those that the server counts.
  private(set) var isInHandshake: Bool
  private var checkedAt: MonotonicTime

  init(
    _ socket: consuming Socket, peer: SocketAddress, tls: TLSSession?, server: IngestServer
  ) {
    self.server = server
    session = ServerSession(limits: server.configuration.rtmp)
    acceptedAt = server.loop.now
    patience = ConnectionPatience(now: server.loop.now)
    checkedAt = server.loop.now
    isInHandshake = tls != nil
    super.init(
      socket, peer: peer, tls: tls, on: server.loop,
      expectsProxyHeader: server.configuration.trustedProxies.contains(peer))
  }

  package var isPublishing: Bool {
    if case .live = publication { true } else { false }
  }

  package var isPlaying: Bool { player != nil }

  /// What the client publishes, asks to publish, or published last.
  package var publicationID: PublicationID {
    PublicationID(channel: id, number: publicationNumber)
  }

  /// How often the client was too slow for its stream and was dropped to the next keyframe.
  package internal(set) var dropCount: UInt64 = 0

  // MARK: Answers to requests

  /// Admits the publisher; what it has sent already goes to the sink at once.
  ///
  /// - Parameters:
  ///   - sink: where its messages go.
  ///   - progress: how far viewers have what it goes on with; for a relay alone.
  ///   - grant: under which this node has it; for a relay alone.
  package func acceptPublish(
    _ sink: PublishSink, after progress: RelayProgress? = nil, under grant: StreamGrant? = nil
  ) {
    guard case .requested(let streamID, let early, _) = publication, !isEnding else {
      return sink.ended(.other("the publisher left before it was admitted"))
    }
    publication = .live(streamID: streamID, sink)
    patience.wasAdmitted(loop.now)
    server.metrics.publishers.increment()
    beginToCoalesce()
    answer { session.acceptPublish(streamID, after: progress, under: grant, into: &$0) }
    for (kind, message) in early { deliver(kind, message, to: sink) }
  }

  /// Refuses the publisher and closes the connection.
  ///
  /// - Parameters:
  ///   - refusal: the status it gets.
  ///   - words: why, for a person; never a token.
  package func refusePublish(_ refusal: ServerSession.PublishRefusal, _ words: String) {
    guard case .requested(let streamID, _, _) = publication, !isEnding else { return }
    publication = .none
    server.metrics.publishRefused.increment()
    answer { session.rejectPublish(streamID, refusal, words, into: &$0) }
    finish("publish refused")
  }

  /// Lets the client play a stream; it starts when there is something to start with.
  ///
  /// - Parameters:
  ///   - streamID: as in the request.
  ///   - key: the stream.
  ///   - ended: called once, when the client plays no more; at once where it has gone already.
  package func acceptPlay(
    _ streamID: UInt32, of key: StreamKey, ended: @escaping () -> Void = {}
  ) {
    guard playRequest == streamID, !isEnding else { return ended() }
    playRequest = nil
    playEnded = ended
    answer { session.acceptPlay(streamID, into: &$0) }
    let player = RTMPPlayer(self, streamID: streamID, key: key)
    self.player = player
    server.metrics.players.increment()
    server.relay.add(player, to: key)
  }

  /// Refuses the player and closes the connection.
  package func refusePlay(
    _ streamID: UInt32, _ refusal: ServerSession.PlayRefusal, _ words: String
  ) {
    guard playRequest == streamID, !isEnding else { return }
    playRequest = nil
    server.metrics.playRefused.increment()
    answer { session.rejectPlay(streamID, refusal, words, into: &$0) }
    finish("play refused")
  }

  // MARK: Events

  /// The first deadline; to be called once the loop knows the connection.
  func begin() { loop.setDeadline(self, loop.now + Self.tick) }

  override package func readable() {
    guard !isHeldBack else { return }
    guard !backlog.isEmpty else { return super.readable() }
    var rest: [UInt8] = []
    swap(&rest, &backlog)
    let used = take(rest.span)
    if used < rest.count { backlog = Array(rest[used...]) }
    if !isClosed { loop.again(self) }
  }

  override package func received(_ bytes: borrowing Span<UInt8>) {
    guard backlog.isEmpty else { return backlog.append(copying: bytes) }
    let used = take(bytes)
    guard used < bytes.count else { return }
    backlog.append(copying: bytes.extracting(droppingFirst: used))
    loop.again(self)
  }

  /// Takes as many messages as one client has in a turn; the others of the loop come first then.
  ///
  /// - Returns: how many bytes that was.
  private func take(_ bytes: borrowing Span<UInt8>) -> Int {
    var cursor = ByteCursor()
    var count = 0
    do {
      while count < Self.messagesPerTurn,
        let event = try session.receive(bytes, &cursor, into: &output)
      {
        handle(event)
        if isEnding { return bytes.count }
        count += 1
      }
      sendOutput()
    } catch {
      sendOutput()
      finish("protocol: \(error.code.rawValue)", patience: .milliseconds(200))
      return bytes.count
    }
    if queuedBytes > answerLimitBytes { end(.closedByUs("reads no answers")) }
    return count < Self.messagesPerTurn ? bytes.count : cursor.offset
  }

  /// What may wait for the client when it has asked for more: a player has its share of media too.
  private var answerLimitBytes: Int {
    guard player != nil else { return Self.answerLimitBytes }
    let configuration = server.configuration
    return configuration.playerQueueBytes + configuration.gopCacheBytes + Self.answerLimitBytes
  }

  /// Appends what the session says to what goes out.
  func answer(_ body: (inout [UInt8]) -> Void) {
    body(&output)
    sendOutput()
  }

  private func sendOutput() {
    guard !output.isEmpty else { return }
    send(output)
    output = []
  }

  private func handle(_ event: ServerEvent) {
    switch event {
    case .video(let message): media(.video, message)
    case .audio(let message): media(.audio, message)
    case .data(let message): media(.data, message)
    case .connectRequested: session.acceptConnect(into: &output)
    case .publishRequested(let request):
      guard isFree else {
        return session.rejectPublish(
          request.streamID, .badName, "this connection already has a stream", into: &output)
      }
      publication = .requested(streamID: request.streamID, early: [], bytes: 0)
      publicationNumber += 1
      clock = MediaClock()
      patience.asked(loop.now)
      server.handlers.publish(self, request)
    case .playRequested(let request):
      guard isFree else {
        return session.rejectPlay(
          request.streamID, .failed, "this connection already has a stream", into: &output)
      }
      playRequest = request.streamID
      server.handlers.play(self, request)
    case .paused(_, let isPaused, _): player?.isPaused = isPaused
    case .streamEnded(let streamID, let reason): streamEnded(streamID, reason)
    }
  }

  /// Whether the client may ask for a stream: it has none, and waits for none.
  private var isFree: Bool {
    if case .none = publication { player == nil && playRequest == nil } else { false }
  }

  /// The client wants no more of a stream.
  ///
  /// What it asked for and has no answer to yet can't be taken back: the connection ends, or a
  /// client could ask and ask without ever waiting.
  private func streamEnded(_ streamID: UInt32, _ reason: EndReason) {
    switch publication {
    case .requested(streamID, _, _): finish("left before it was admitted")
    case .live(streamID, _): endPublication(.said(reason))
    case .none, .requested, .live: break
    }
    if playRequest == streamID { finish("left before it was admitted") }
    if player?.streamID == streamID { endPlayer() }
  }

  private func media(_ kind: PublishSink.Kind, _ message: Message) {
    switch publication {
    case .live(_, let sink): deliver(kind, message, to: sink)
    case .requested(let streamID, var early, let bytes):
      let total = bytes + message.keptBytes
      guard total <= server.configuration.rtmp.unadmittedBytes else {
        return end(.closedByUs("sent too much before it was admitted"))
      }
      // Who sends while the backend takes its time is not silent.
      if kind != .data { patience.sawMedia(loop.now) }
      publication = .none
      early.append((kind, message))
      publication = .requested(streamID: streamID, early: early, bytes: total)
    case .none: break
    }
  }

  private func deliver(_ kind: PublishSink.Kind, _ message: Message, to sink: PublishSink) {
    if kind != .data {
      patience.sawMedia(loop.now)
      clock.note(message)
    }
    sink.receive(kind, message)
    loop.flushLater(self)
  }

  override package func flush() {
    if case .live(_, let sink) = publication { sink.flush() }
    super.flush()
  }

  override package func timedOut() {
    if isEnding { return super.timedOut() }
    if isCoalescing { readable() }
    if !isEnding, loop.now - checkedAt >= Self.tick {
      checkedAt = loop.now
      checkDeadlines()
      count()
    }
    if !isEnding { loop.setDeadline(self, isCoalescing ? nextTaking : loop.now + Self.tick) }
  }

  func endPublication(_ reason: PublicationEnd) {
    guard case .live(_, let sink) = publication else {
      publication = .none
      return
    }
    publication = .none
    patience.isFree(loop.now)
    server.metrics.publishers.decrement()
    if !isClosed { setReceiveLowWater(1) }
    sink.flush()
    sink.ended(reason)
  }

  func endPlayer() {
    guard let player else { return }
    self.player = nil
    patience.isFree(loop.now)
    server.metrics.players.decrement()
    server.relay.remove(player, from: player.key)
    let ended = playEnded
    playEnded = {}
    ended()
  }

  override package func secured() {
    if isInHandshake { server.endHandshake(id) }
    isInHandshake = false
  }

  override package func ended(_ end: End) {
    secured()
    endPublication(end.publication)
    endPlayer()
    count()
    server.removed(self, end.words)
  }
}

import Bytes
import EventLoop
@testable import Ingest
import RTMP
import TLS
import Telemetry
import Testing

import Media

/// A client on the server's own loop: a real socket, and a log of what the server said.
final class TestClient: Transport {
  let session: ClientSession
  var events: [ClientEvent] = []
  var failure: ProtocolError?
  var end: End?
  /// Reads nothing while true, so that the server's socket fills up.
  var isStalled = false
  private var output: [UInt8] = []

  init(
    _ purpose: ClientSession.Purpose, name: String, port: UInt16, on loop: Loop,
    tls: TLSSession? = nil, preamble: [UInt8] = []
  ) throws {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    session = ClientSession(
      ClientSession.Configuration(
        purpose, tcUrl: "rtmp://127.0.0.1/live", app: "live", streamName: name))
    super.init(try Socket.connecting(to: address), peer: address, tls: tls, on: loop)
    try loop.add(self)
    output += preamble
    session.start(into: &output)
    push()
  }

  var hasStarted: Bool { session.isStarted }
  var refusal: Status? {
    for case .refused(let status) in events { return status }
    return nil
  }
  var ending: Status? {
    for case .ended(let status) in events { return status }
    return nil
  }
  var video: [Message] {
    events.compactMap { if case .video(let message) = $0 { message } else { nil } }
  }
  var audio: [Message] {
    events.compactMap { if case .audio(let message) = $0 { message } else { nil } }
  }

  func publish(_ type: MessageType, _ timestamp: UInt32, _ payload: [UInt8]) {
    session.send(type, timestamp: timestamp, payload: payload.span, into: &output)
    push()
  }

  /// Sends a command as some client would, whatever the session thinks of it.
  func command(
    _ name: String, transaction: Double = 0, streamID: UInt32, _ arguments: [AMFValue]
  ) {
    var writer = ChunkWriter()
    var bytes: [UInt8] = []
    let command = Command(name, transaction, arguments)
    writer.write(
      .command, on: 8, streamID: streamID, payload: command.payload.span, into: &bytes)
    send(bytes)
  }

  func leave() {
    session.close(into: &output)
    push()
    finish("test is done")
  }

  override func readable() { if !isStalled { super.readable() } }

  override func received(_ bytes: borrowing Span<UInt8>) {
    var cursor = ByteCursor()
    do throws(ProtocolError) {
      while let event = try session.receive(bytes, &cursor, into: &output) {
        events.append(event)
      }
    } catch {
      failure = error
    }
    push()
  }

  override func ended(_ end: End) { self.end = end }

  private func push() {
    if !output.isEmpty { send(output) }
    output = []
  }
}

/// A server on one loop that admits every name but those that start with "no".
final class TestServer {
  let loop: Loop
  let server: IngestServer
  let relay: RelayTable
  let registry = MetricRegistry()
  private(set) var port: UInt16 = 0
  private(set) var closed: [String] = []
  private(set) var publishers: [RTMPConnection] = []
  /// What was asked and not answered, where `answersLater`.
  var waiting: [RTMPConnection] = []
  let answersLater: Bool
  var answersPlayersLater = false
  let key: StreamKey

  init(
    _ configuration: IngestConfiguration = IngestConfiguration(), answersLater: Bool = false,
    context: TLSContext? = nil
  ) throws {
    loop = try Loop()
    self.answersLater = answersLater
    key = try #require(StreamKey(wedding: "w"))
    let directory = RelayDirectory()
    directory.setLoops([loop.mailbox])
    relay = RelayTable(loop: loop, directory: directory, configuration: configuration)
    loop.setLocal(relay)
    weak var me: TestServer?
    server = IngestServer(
      loop: loop, configuration: configuration, relay: relay,
      handlers: IngestHandlers(
        publish: { connection, request in me?.publish(connection, request) },
        play: { connection, request in
          guard let me else { return }
          if me.answersPlayersLater { return me.waiting.append(connection) }
          connection.acceptPlay(request.streamID, of: me.key)
        },
        closed: { _, reason in me?.closed.append(reason) }),
      metrics: IngestMetrics(registry), buffers: TLSBuffers())
    me = self
    let socket = try Socket.listening(
      on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    port = socket.localAddress.port
    if let context {
      try server.listen(socket, context: { context })
    } else {
      try server.listen(socket)
    }
  }

  private func publish(_ connection: RTMPConnection, _ request: PublishRequest) {
    if answersLater { return waiting.append(connection) }
    if request.name.path.hasPrefix("no") {
      return connection.refusePublish(.denied, "the token has expired")
    }
    admit(connection)
  }

  /// Admits a publisher whose messages are passed on to players: the first byte is the role.
  func admit(_ connection: RTMPConnection) {
    publishers.append(connection)
    let source = RelaySource(key, gopCacheBytes: server.configuration.gopCacheBytes)
    relay.attach(source)
    connection.acceptPublish(
      PublishSink(
        receive: { kind, message in
          let role: RelayMessage.Role =
            switch (kind, message.payload.first) {
            case (.data, _): .metadata
            case (.video, 0): .videoHeader
            case (.video, 1): .keyframe
            case (.video, _): .video
            case (.audio, 0): .audioHeader
            case (.audio, _): .audio
            }
          source.append(RelayMessage(role, message))
        },
        flush: { source.flush() },
        ended: { [relay, key] _ in relay.detach(key, isOver: false) }))
  }

  /// Takes turns until something has happened; false when it never did.
  func turns(_ limit: Duration = .seconds(120), until done: () -> Bool) -> Bool {
    let end = MonotonicTime.now + limit
    while !done() {
      if MonotonicTime.now > end { return false }
      loop.turn(maximumWait: .milliseconds(20))
    }
    return true
  }
}

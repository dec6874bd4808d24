import EventLoop
import Glibc
@testable import Ingest
import Media
import RTMP
import TLS
import Telemetry
import Testing

/// An origin as publishers meet it, on the test's own loop: it writes down what it is sent.
final class TestOrigin {
  /// One publication, from the question to its end.
  final class Take {
    let name: String
    let peer: SocketAddress
    let connect: ConnectRequest?
    let connection: RTMPConnection
    var messages: [Message] = []
    var ended: String?

    init(_ connection: RTMPConnection, _ request: PublishRequest) {
      self.connection = connection
      name = request.name.raw
      peer = connection.peer
      connect = connection.connectRequest
    }
  }

  let loop: Loop
  let name: String
  let server: IngestServer
  let registry = MetricRegistry()
  private(set) var port: UInt16 = 0
  private(set) var takes: [Take] = []
  /// What publishers are told instead of being admitted.
  var refusal: (ServerSession.PublishRefusal, String)?
  /// Whether publishers are admitted; those who aren't wait for `admit`.
  var admits = true
  /// Whether it is killed by the end of a publication, before it answers.
  var diesAtEnd = false
  /// How far viewers have what publishers go on with, as these are told.
  var progress: RelayProgress?
  /// Under which grant it has the stream, as they are told.
  var grant: StreamGrant?

  init(
    _ name: String, on loop: Loop, trustedProxies: NetworkList = [], context: TLSContext? = nil
  ) throws {
    self.loop = loop
    self.name = name
    var configuration = IngestConfiguration()
    configuration.coalesce = .zero
    configuration.trustedProxies = trustedProxies
    weak var me: TestOrigin?
    server = IngestServer(
      loop: loop, configuration: configuration,
      relay: RelayTable(loop: loop, directory: RelayDirectory(), configuration: configuration),
      handlers: IngestHandlers(
        publish: { me?.publish($0, $1) }, play: { _, _ in }, closed: { _, _ in }),
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
    if let refusal { return connection.refusePublish(refusal.0, refusal.1) }
    let take = Take(connection, request)
    takes.append(take)
    if admits { accept(take) }
  }

  private func accept(_ take: Take) {
    take.connection.acceptPublish(
      PublishSink(
        receive: { _, message in take.messages.append(message) }, flush: {},
        ended: { [weak self] in
          take.ended = $0.words
          if let self, diesAtEnd { die() }
        }), after: progress, under: grant)
  }

  /// Admits the last one that waits.
  func admit() {
    admits = true
    if let take = takes.last { accept(take) }
  }

  /// What all publications were sent, in order.
  var messages: [Message] { takes.flatMap(\.messages) }

  /// Takes no more connections.
  func stopAccepting() { server.stopAccepting() }

  /// Takes no more connections, and resets those that are open.
  func die() {
    server.stopAccepting()
    server.forEachConnection { connection in
      // Nothing lingers, so that the close is a reset.
      var option = linger(l_onoff: 1, l_linger: 0)
      unsafe setsockopt(
        connection.descriptor, SOL_SOCKET, SO_LINGER, &option,
        socklen_t(MemoryLayout<linger>.size))
      connection.end(.closedByUs("killed"))
    }
  }
}

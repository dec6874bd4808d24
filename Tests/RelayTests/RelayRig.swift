import EventLoop
import Ingest
import Media
import RTMP
import TLS
import Telemetry
import Testing

@testable import Relay

/// A relay and its origins, all on the test's own loop.
final class RelayRig {
  let loop: Loop
  let relay: PublishRelay
  let registry = MetricRegistry()
  let metrics: RelayMetrics
  let ingestMetrics: IngestMetrics
  private(set) var port: UInt16 = 0
  /// Where streams may go, in the order of preference.
  var origins: [RelayTarget] = []
  private(set) var notices: [RelayNotice] = []
  /// Who was excluded, each time a place was asked for.
  private(set) var questions: [Set<String>] = []
  /// How far viewers had the stream, each time.
  private(set) var progress: [RelayProgress?] = []
  /// Which date a time of its publisher's clock had, each time.
  private(set) var dates: [StreamDate?] = []
  /// Under which grant its origin had the stream, each time.
  private(set) var grants: [StreamGrant?] = []
  /// Which origins may have had the stream, and whether one said that another has it, each time.
  private(set) var mayHaveTaken: [Set<String>] = []
  private(set) var isTakenAway: [Bool] = []
  /// Whether it is said where streams shall go; the questions wait where it isn't.
  var answersPlaces = true
  private(set) var unanswered: [(RelayTarget?) -> Void] = []

  init(
    _ configuration: RelayConfiguration = RelayConfiguration(), context: TLSContext? = nil,
    afterEnd: Duration = .zero
  ) throws {
    loop = try Loop()
    metrics = RelayMetrics(registry)
    ingestMetrics = IngestMetrics(registry)
    var configuration = configuration
    configuration.ingest.coalesce = .zero
    configuration.afterEnd = afterEnd
    weak var me: RelayRig?
    relay = PublishRelay(
      on: loop, configuration: configuration,
      handlers: RelayHandlers(
        admit: { _, request, done in
          let wedding = request.name.path.split(separator: ".").first.map(String.init) ?? ""
          guard wedding != "no", let key = StreamKey(wedding: wedding) else {
            return done(.refused(.denied, "the token has expired"))
          }
          done(.admitted(key))
        },
        place: { question, done in
          me?.questions.append(question.excluded)
          me?.progress.append(question.progress)
          me?.dates.append(question.date)
          me?.grants.append(question.grant)
          me?.mayHaveTaken.append(question.mayHaveTaken)
          me?.isTakenAway.append(question.isTakenAway)
          guard me?.answersPlaces != false else {
            me?.unanswered.append(done)
            return
          }
          done(me?.origins.first { !question.excluded.contains($0.name) })
        }, notice: { me?.notices.append($0) }),
      metrics: metrics, ingestMetrics: ingestMetrics, buffers: TLSBuffers())
    me = self
    let socket = try Socket.listening(
      on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    port = socket.localAddress.port
    if let context {
      try relay.ingest.listen(socket, context: { context })
    } else {
      try relay.ingest.listen(socket)
    }
  }

  func origin(
    _ name: String, trustedProxies: NetworkList = [], context: TLSContext? = nil
  ) throws -> TestOrigin {
    let origin = try TestOrigin(
      name, on: loop, trustedProxies: trustedProxies, context: context)
    origins.append(RelayTarget(name: name, host: "127.0.0.1", port: origin.port))
    return origin
  }

  func encoder(
    _ name: String = "w", preamble: [UInt8] = [], context: TLSContext? = nil
  ) throws -> TestEncoder {
    try TestEncoder(name, port: port, on: loop, preamble: preamble, context: context)
  }

  /// A publisher that is on the air, and all of whose headers and pictures an origin has.
  func publish(to origin: TestOrigin, pictures: Range<Int> = 0..<20) throws -> TestEncoder {
    let encoder = try encoder()
    #expect(turns { encoder.isStarted })
    encoder.sendHeaders()
    encoder.sendPictures(pictures)
    #expect(turns { origin.messages.count == encoder.sent.count })
    return encoder
  }

  func status() throws -> RelayStatus { try #require(relay.statuses.first) }

  func key(_ wedding: String = "w") throws -> StreamKey {
    try #require(StreamKey(wedding: wedding))
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

  /// Takes turns for a while, for what must not happen in it.
  func turns(for duration: Duration) {
    let end = MonotonicTime.now + duration
    while MonotonicTime.now < end { loop.turn(maximumWait: .milliseconds(5)) }
  }

  /// Whether nothing of any stream is left, on any count.
  var isEmpty: Bool {
    relay.statuses.isEmpty && metrics.streams.value == 0 && metrics.originConnections.value == 0
      && metrics.endedStreams.value == 0 && metrics.keptBytes.value == 0
      && metrics.heldBack.value == 0
      && relay.ingest.connectionCount == 0 && ingestMetrics.connections.value == 0
      && ingestMetrics.publishers.value == 0
  }
}

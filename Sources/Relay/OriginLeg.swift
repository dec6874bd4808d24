import EventLoop
import Ingest
import RTMP
import TLS
import Telemetry

/// A stream's connection to one origin.
final class OriginLeg {
  /// What an origin is told of the publisher.
  struct Introduction {
    let connect: ConnectRequest
    let streamName: String
    /// The publisher's address, to go ahead as a PROXY header; nil: it doesn't.
    let proxied: SocketAddress?
  }

  let target: RelayTarget
  private(set) var startedAt: MonotonicTime?
  /// Whether it is finishing, and nothing more is sent.
  private(set) var isFinishing = false
  private let client: ForwardingClient
  private let metrics: RelayMetrics
  private var countedBytes: UInt64 = 0
  private var hasEnded = false
  private var restsSince: MonotonicTime?
  private var releasedAt: MonotonicTime?
  private let linger: Duration
  private let silence: Duration
  private let afterEnd: Duration

  /// Starts to connect.
  ///
  /// - Parameters:
  ///   - target: the origin.
  ///   - address: one of its addresses.
  ///   - introduction: what it is told.
  ///   - relay: whose stream it is.
  ///   - onEvent: told what happens; nothing after `.ended`.
  /// - Throws: `SystemError` where there is no way to connect.
  init(
    to target: RelayTarget, at address: SocketAddress, _ introduction: Introduction,
    for relay: PublishRelay, onEvent: @escaping (OriginLeg, ForwardingClient.Event) -> Void
  ) throws(SystemError) {
    let configuration = relay.configuration
    var tls: TLSSession?
    if let context = target.tls {
      tls = TLSSession(
        client: context, serverName: target.serverName ?? target.host, buffers: relay.buffers)
      guard tls != nil else { throw SystemError("SSL_new", 12) }
    }
    var timeouts = RTMPClient.Timeouts()
    timeouts.start = configuration.originStart
    timeouts.linger = configuration.originLinger
    // The kernel may say nothing for minutes of one that reads slowly: `check` judges by what it
    // acknowledges.
    timeouts.stall = .seconds(3_600)
    let me = Owner()
    let preamble = introduction.proxied.map {
      ProxyHeader.version2(source: $0, destination: address)
    }
    client = ForwardingClient(
      try Socket.connecting(to: address), on: relay.loop,
      session: ClientSession(Self.session(introduction, target, configuration)), tls: tls,
      timeouts: timeouts, silence: configuration.originSilence,
      keptPing: Self.keptPing(configuration), preamble: preamble ?? []
    ) { event in
      guard let leg = me.value else { return }
      leg.took(event)
      onEvent(leg, event)
    }
    self.target = target
    linger = configuration.originLinger
    silence = configuration.originSilence
    afterEnd = configuration.afterEnd
    metrics = relay.metrics
    try relay.loop.add(client)
    me.value = self
    metrics.originConnections.increment()
    client.begin()
  }

  /// Keeps it until its connection has ended, which forgets whom it tells.
  ///
  /// Not weakly: counting references costs each message more once there has been a weak one.
  private final class Owner {
    var value: OriginLeg?
  }

  private static func session(
    _ introduction: Introduction, _ target: RelayTarget, _ configuration: RelayConfiguration
  ) -> ClientSession.Configuration {
    let connect = introduction.connect
    let tcUrl =
      connect.tcUrl.isEmpty
      ? "rtmp://\(target.host):\(target.port)/\(connect.rawApp)" : connect.tcUrl
    var session = ClientSession.Configuration(
      .publish, tcUrl: tcUrl, app: connect.rawApp, streamName: introduction.streamName)
    if !connect.flashVersion.isEmpty { session.flashVersion = connect.flashVersion }
    session.enhanced = connect.enhanced
    // This relay can, whatever its publisher can.
    session.enhanced.extensions.insert(.reconnect)
    // Every message is one chunk: its payload is sent as it came.
    session.limits.sendChunkSizeBytes = 0xff_ffff
    session.limits.windowBytes = UInt32(clamping: configuration.acknowledgeEveryBytes)
    let silence = configuration.originSilence.nanoseconds / 1_000_000
    session.limits.pingAfterMilliseconds = UInt64(max(1, silence / 3))
    session.limits.silentAfterMilliseconds = .max
    return session
  }

  /// How often an origin that has heard the end is asked whether it still answers.
  ///
  /// The first answer after `afterEnd` has it believed: it comes before the origin closes a
  /// connection that publishes nothing.
  private static func keptPing(_ configuration: RelayConfiguration) -> Duration {
    min(.seconds(1), min(configuration.originSilence, configuration.afterEnd) / 3)
  }

  /// Whether the origin has taken the stream.
  var isStarted: Bool { startedAt != nil && !hasEnded }

  /// What its socket hasn't taken yet, in bytes.
  var waitingBytes: Int { client.waitingBytes }

  /// Bytes that were written to it, and how many of them it has acknowledged to have read.
  var writtenBytes: UInt64 { client.writtenBytes }
  var readBytes: UInt64 { client.session.readBytes }

  /// Under which grant it has the stream, as it said last; nil where it doesn't say so.
  var grant: StreamGrant? { client.session.grant }

  /// What viewers have of the stream before its publisher's first message; nil where the origin
  /// doesn't say so.
  ///
  /// Where that ends is said by the clock of an earlier publisher, and nothing to this one.
  var beginning: RelayProgress? {
    if let start = client.session.startProgress {
      return RelayProgress(sequence: start.sequence, discontinuity: start.discontinuity, end: nil)
    }
    return grant == nil ? nil : .nothing
  }

  func send(_ message: Message) {
    client.forward(message.type, timestamp: message.timestamp, payload: message.payload)
  }

  /// Ends it once all that waits has gone out.
  ///
  /// - Parameters:
  ///   - saysSo: whether the origin hears that the stream is over.
  ///   - awaitsRelease: whether it ends only when it is finished once more; until then it is lost
  ///     where the origin doesn't answer, or is silent later.
  func finish(saysSo: Bool, awaitsRelease: Bool = false) {
    isFinishing = true
    client.finish(saysSo: saysSo, awaitingReleaseFor: awaitsRelease ? silence : nil)
  }

  /// Whether the origin has heard the end, and still answers a while after it: what it announced
  /// last is with the edges by then.
  var hasSettled: Bool {
    guard let releasedAt else { return false }
    return client.heardAt - releasedAt >= afterEnd
  }

  /// Whether the origin has said that it has all of the stream, and lets go of it.
  var isReleased: Bool { releasedAt != nil }

  /// Sends nothing more, and lets the origin close it: it is about to hear that another one has the
  /// stream.
  func rest() { restsSince = .now }

  /// Closes it at once; nothing is told.
  func abandon() {
    client.abandon()
    leave()
  }

  /// Gives it up where the origin is silent, and counts.
  func check(_ now: MonotonicTime) {
    count()
    if let restsSince, now - restsSince > linger, !isFinishing { finish(saysSo: false) }
    client.check(now)
  }

  private func took(_ event: ForwardingClient.Event) {
    switch event {
    case .started: startedAt = .now
    case .released:
      releasedAt = .now
      metrics.endedStreams.increment()
    case .ended: leave()
    case .drained, .reconnectRequested, .progressed: break
    }
  }

  private func leave() {
    guard !hasEnded else { return }
    hasEnded = true
    if isReleased { metrics.endedStreams.decrement() }
    count()
    metrics.originConnections.decrement()
  }

  private func count() {
    metrics.forwardedBytes.add(client.sentBytes - countedBytes)
    countedBytes = client.sentBytes
  }
}

extension ClientEnd {
  /// One of a fixed few, for a metric's label.
  var label: String {
    switch self {
    case .unreachable: "unreachable"
    case .unknownHost: "unknown host"
    case .insecure: "tls"
    case .refused: "refused"
    case .ended: "ended"
    case .violated: "protocol"
    case .timedOut: "silent"
    case .lost: "lost"
    case .finished: "finished"
    }
  }
}

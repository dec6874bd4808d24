import Viewers
import Operator
import Ingest
import Access
import ControlAPI
import Edge
import EventLoop
import HTTPServer
import Logging
import Media
import Origin
import Recording
import TLS
import Telemetry

/// A node whose loops serve: what `Standalone` has put together.
struct RunningNode: Sendable {
  let origin: OriginNode
  let frame: NodeFrame

  private var loops: LoopGroup { frame.loops }

  /// What each loop is given.
  struct Parts: Sendable {
    let listeners: NodeListeners
    /// Where the plain port sends people, if that is all that it does.
    let redirectPort: UInt16?
    let server: ServerConfiguration
    let serverMetrics: ServerMetrics
    let pacing: ViewerPacing
    let collector: StatusCollector
    let api: APICall
    let choices: ViewerChoices
    let locks: WeddingLocks
    let recordings: RecordingService
    /// What the processes before this one still have; nil where there are none.
    let elders: ElderStreams?
    let playback: RecordingSite
    /// Streams that were on the air before this process began, and until when they are expected.
    let returning: (streams: Set<StreamKey>, until: MonotonicTime)
    let site: OperatorSite
    let page: @Sendable (String) -> PreparedResponse?
    /// What other nodes show; nil where there are none.
    let pass: PeerPass?
    /// Whether they show certificates, too, and are answered at `listen.peers` alone.
    let isCertified: Bool
    /// Is told how many viewers edges have.
    let edges: EdgeViewers
    /// Answers other nodes about this node's recordings; nil where there is no cluster.
    let peerRecordings: APICall?
    /// The cluster's nodes as JSON; nil where there is no cluster.
    let nodes: (@Sendable () -> [UInt8])?
    /// Names this process among those that other nodes may have asked before.
    let launch: String
    /// Numbers this node's leases of streams; nil where there is no cluster.
    let epoch: (@Sendable (StreamKey) -> Int64?)?
    /// Has another node of the cluster drain; nil where there is none.
    let drainOther: (@Sendable (_ node: String) async -> APIResponse?)?
    /// Hears which other node leaves.
    let leaving: @Sendable (_ node: String) -> Void
    let drain: @Sendable () -> Void
  }

  /// Builds what lives on each loop, and begins to accept.
  ///
  /// - Throws: `SystemError` where the kernel can watch no more.
  func open(_ parts: Parts) async throws {
    let node = self
    let report = AcceptReport(frame.logger)
    try await loops.onEach { loop in try node.open(parts, report, on: loop) }
    origin.outlet.setLoops(loops.mailboxes)
    parts.elders?.live.setLoops(loops.mailboxes)
    origin.relays.setLoops(loops.mailboxes)
    origin.health.set(unready: nil)
  }

  private func open(_ parts: Parts, _ report: AcceptReport, on loop: Loop) throws {
    let ingest = OriginLoop(on: loop, node: origin, buffers: TLSBuffers())
    let server = LoopServer(on: loop, configuration: parts.server, metrics: parts.serverMetrics)
    ingest.ingest.acceptFailed = { report.failed($0) }
    server.acceptFailed = { report.failed($0) }
    let table = StreamTable(epoch: parts.epoch, traffic: origin.traffic)
    let needsToken = origin.configuration.watchNeedsToken
    let tokens = VerifiedTokens(
      origin.verifier, capacity: origin.configuration.rememberedTokens)
    let handler = ViewerHandler(
      table: table,
      gate: ViewerGate(
        tokens: tokens, needsToken: needsToken, plans: origin.configuration.streams.plans,
        choices: parts.choices),
      routes: PublicRoutes(health: origin.health, api: parts.api, page: parts.page),
      recordings: parts.playback, remote: parts.elders?.remote(on: server),
      expected: ExpectedStreams(
        parts.returning.streams, until: parts.returning.until,
        isOpening: { [programs = origin.programs] in programs.isHeld($0) }),
      pacing: parts.pacing)
    loop.setLocal(ViewerSite(table: table, server: server, handler: handler))
    handler.gate.locked = parts.locks.weddings
    ingest.locked = parts.locks.weddings
    let front = peerHandler(parts, table, server, isForPeers: !parts.isCertified, before: handler)
    let listeners = parts.listeners
    for socket in listeners.rtmp?.descriptors(of: loop.index) ?? [] {
      try ingest.ingest.listen(Socket(owning: socket))
    }
    let source = frame.rtmps
    for socket in listeners.rtmps?.descriptors(of: loop.index) ?? [] {
      try ingest.ingest.listen(Socket(owning: socket), context: { source.current })
    }
    if let peers = frame.peers?.rtmps {
      for socket in listeners.peersRTMPS?.descriptors(of: loop.index) ?? [] {
        try ingest.ingest.listen(Socket(owning: socket), context: { peers.current })
      }
    }
    try frame.listen(
      listeners, on: server,
      NodeFrame.Handlers(
        https: front,
        http: parts.redirectPort.map { RedirectHandler(handler, httpsPort: $0) } ?? front,
        peers: peerHandler(parts, table, server, isForPeers: true, before: handler),
        admin: AdminHandler(
          node: origin, collector: parts.collector, registry: frame.registry, site: parts.site,
          control: StreamControl(
            loops: loops.mailboxes,
            recordings: OriginRecordings(
              parts.recordings, loops: loops.mailboxes, elders: parts.elders?.line.hands()),
            elders: parts.elders?.line.hands()),
          nodes: parts.nodes, drainOther: parts.drainOther, drain: parts.drain)))
  }

  /// Answers other nodes, where they are answered; all else is another handler's.
  private func peerHandler(
    _ parts: Parts, _ table: StreamTable, _ server: LoopServer, isForPeers: Bool,
    before handler: RequestHandler
  ) -> RequestHandler {
    parts.pass.map {
      PeerHandler(
        table: table, pass: $0, launch: parts.launch,
        drain: PeerDrain($0, leaving: parts.leaving, drain: parts.drain), isForPeers: isForPeers,
        remote: isForPeers ? parts.elders?.remote(on: server, isForPeers: true) : nil,
        viewers: parts.edges, recordings: parts.peerRecordings, inner: handler)
    } ?? handler
  }

  /// Takes no more connections: they are another process's now.
  func stopAccepting() async {
    try? await loops.onEach { loop in
      loop.local(ViewerSite.self)?.server.stopAccepting()
      loop.local(OriginLoop.self)?.ingest.stopAccepting()
    }
  }

  /// Leaves viewers and publishers to the process that goes on with the node, and returns once the
  /// last publisher has gone.
  ///
  /// - Parameters:
  ///   - spread: over how long viewers are told.
  ///   - limit: how long publishers may stay.
  ///   - waits: whether streams wait here for publishers that were lost.
  ///   - window: how long what has been listed may still be asked for then.
  func leave(
    spread: Duration, atMost limit: Duration, waits: Bool, window: Duration
  ) async {
    let origin = origin
    let loops = loops
    let hasStreams = !origin.board.all.isEmpty
    await Patience.wait(atMost: limit) {
      try? await loops.onEach { $0.local(ViewerSite.self)?.server.drain(spread: spread) }
      // Edges that move a stream here must not ask for its news over connections to this process.
      try? await Task.sleep(for: .milliseconds(1_500))
      try? await loops.onEach { $0.local(OriginLoop.self)?.drain() }
      await origin.board.noneIsLive { _ in waits }
    }
    if hasStreams { try? await Task.sleep(for: window) }
  }

  /// Stops taking clients, and returns once responses under way are finished or have run out of
  /// time, publishers are closed, and the numbers of their streams are kept.
  func drain(_ words: String) async {
    origin.health.set(unready: words)
    try? await loops.onEach { $0.local(OriginLoop.self)?.drain() }
    // Side by side: a viewer who takes an answer slowly keeps no publisher from the next node.
    async let viewers: Void = frame.onEachLoop { loop, done in
      guard let server = loop.local(ViewerSite.self)?.server else { return done() }
      server.drain { done() }
    }
    async let publishers: Void = frame.onEachLoop { loop, done in
      guard let origin = loop.local(OriginLoop.self) else { return done() }
      origin.end(words, done: done)
    }
    _ = await (viewers, publishers)
    await origin.settle()
  }
}

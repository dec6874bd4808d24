import Cluster
import ControlAPI
import Edge
import EventLoop
import HTTPServer
import HTTPTypes
import Operator
import Access
import Viewers
import TLS

/// An edge whose loops serve: what `EdgeRole` has put together.
struct RunningEdge: Sendable {
  let frame: NodeFrame
  let proxy: EdgeProxy
  let metrics: EdgeMetrics
  /// Streams of its cluster's origins; nil for an edge that knows nothing of streams.
  let streams: EdgeStreams?
  /// Takes publishers; nil for an edge without a cluster.
  let publishers: EdgePublishers?

  /// What each loop is given.
  struct Parts: Sendable {
    let listeners: NodeListeners
    /// Where the plain port sends people, if that is all that it does.
    let redirectPort: UInt16?
    let server: ServerConfiguration
    let serverMetrics: ServerMetrics
    let pacing: ViewerPacing
    /// What is sent of each stream.
    let traffic: StreamTraffic
    /// For the operator.
    let status: EdgeStatus
    let site: OperatorSite
    /// Where publishers and viewers are to be sent, by a request that is asked here.
    let sites: @Sendable (HTTPRequest) -> KnownAddresses
    /// The cluster's nodes as JSON; nil where there is no cluster.
    let nodes: (@Sendable () -> [UInt8])?
    /// Tells the cluster's caches what to forget; nil where there is no cluster.
    let invalidations: Invalidations?
    /// Has another node of the cluster drain; nil where there is none.
    let drainOther: (@Sendable (_ node: String) async -> APIResponse?)?
    let drain: @Sendable () -> Void
  }

  /// Builds what lives on each loop, and begins to accept.
  ///
  /// - Throws: `SystemError` where the kernel can watch no more.
  func open(_ parts: Parts) async throws {
    let edge = self
    let report = AcceptReport(frame.logger)
    streams?.live.setLoops(frame.loops.mailboxes)
    try await frame.loops.onEach { loop in try edge.open(parts, report, on: loop) }
    frame.health.set(unready: nil)
  }

  private func open(_ parts: Parts, _ report: AcceptReport, on loop: Loop) throws {
    let server = LoopServer(on: loop, configuration: parts.server, metrics: parts.serverMetrics)
    server.acceptFailed = { report.failed($0) }
    loop.setLocal(server)
    let origin = EdgeHandler(
      proxy, metrics, on: server,
      routing: streams.map { .cluster($0.live, recordings: $0.recordings, sites: parts.sites) }
        ?? .upstreams)
    let behind = viewers(parts, on: server, before: origin) ?? origin
    let drain = publishers.map {
      PeerDrain($0.cluster.pass, leaving: $0.cluster.heardLeaving, drain: parts.drain)
    }
    // Where nodes show certificates they are answered at their own port alone.
    let handler = EdgeFront(
      health: frame.health, drain: frame.peers == nil ? drain : nil,
      isOfCluster: streams != nil, behind: behind)
    let peersHandler = EdgeFront(
      health: frame.health, drain: drain, isOfCluster: true, behind: behind)
    let listeners = parts.listeners
    try publishers?.open(listeners, rtmps: frame.rtmps, report, on: loop)
    try frame.listen(
      listeners, on: server,
      NodeFrame.Handlers(
        https: handler,
        http: parts.redirectPort.map { RedirectHandler(handler, httpsPort: $0) } ?? handler,
        peers: peersHandler,
        admin: OperatorHandler(
          health: frame.health, registry: frame.registry, site: parts.site,
          nodes: parts.nodes, pages: parts.status.pages,
          routes: [
            (PurgeRoute.path, PurgeRoute.call(proxy, parts.invalidations, parts.site))
          ],
          drainOther: parts.drainOther, drain: parts.drain)))
  }

  /// Answers viewers of live streams; what isn't theirs is another handler's.
  private func viewers(
    _ parts: Parts, on server: LoopServer, before origin: EdgeHandler
  ) -> RequestHandler? {
    guard let streams else { return nil }
    let live = streams.live
    let table = StreamTable(traffic: parts.traffic)
    let handler = ViewerHandler(
      table: table,
      gate: ViewerGate(
        tokens: VerifiedTokens(streams.verifier, capacity: streams.rememberedTokens),
        needsToken: streams.needsToken, plans: streams.plans),
      routes: origin,
      remote: RemoteStreams(
        follow: { live.follow($0) },
        segments: EdgeHandler(proxy, metrics, on: server, routing: .segments(live)), others: origin),
      pacing: parts.pacing)
    server.loop.setLocal(ViewerSite(table: table, server: server, handler: handler))
    return handler
  }

  /// Takes no more connections: they are another process's now.
  func stopAccepting() async {
    try? await frame.loops.onEach { loop in
      loop.local(LoopServer.self)?.stopAccepting()
      EdgePublishers.stopAccepting(on: loop)
    }
  }

  /// Leaves viewers and publishers to the process that goes on with the node, and returns once none
  /// is left.
  ///
  /// - Parameters:
  ///   - spread: over how long viewers are told.
  ///   - limit: how long publishers may stay.
  func leave(spread: Duration, atMost limit: Duration) async {
    try? await frame.loops.onEach { loop in
      loop.local(LoopServer.self)?.drain(spread: spread)
      EdgePublishers.drain(on: loop)
    }
    let (empty, left) = AsyncStream.makeStream(of: Void.self)
    let loops = frame.loops
    await Patience.wait(atMost: limit) {
      for mailbox in loops.mailboxes {
        let isAsked = mailbox.submit { loop in
          EdgePublishers.whenEmpty(on: loop) { left.yield() }
        }
        if !isAsked { left.yield() }
      }
      var count = 0
      for await _ in empty {
        count += 1
        if count == loops.mailboxes.count { return }
      }
    }
  }

  /// Stops taking clients, and returns once responses under way are finished or have run out of
  /// time.
  func drain(_ words: String) async {
    frame.health.set(unready: words)
    try? await frame.loops.onEach { EdgePublishers.drain(on: $0) }
    async let viewers: Void = frame.onEachLoop { loop, done in
      guard let server = loop.local(LoopServer.self) else { return done() }
      server.drain { done() }
    }
    async let publishers: Void = frame.onEachLoop { loop, done in
      EdgePublishers.end(words, on: loop, done: done)
    }
    _ = await (viewers, publishers)
  }
}

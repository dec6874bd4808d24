import Edge
import EventLoop
import HTTPServer
import Operator
import TLS

/// An edge whose loops serve: what `EdgeNode` has put together.
struct RunningEdge: Sendable {
  let frame: NodeFrame
  let proxy: EdgeProxy
  let metrics: EdgeMetrics

  /// What each loop is given.
  struct Parts: Sendable {
    let listeners: NodeListeners
    /// Whether the plain port only sends people to the other one.
    let redirects: Bool
    let server: ServerConfiguration
    let serverMetrics: ServerMetrics
    let site: OperatorSite
    let drain: @Sendable () -> Void
  }

  /// Builds what lives on each loop, and begins to accept.
  ///
  /// - Throws: `SystemError` where the kernel can watch no more.
  func open(_ parts: Parts) async throws {
    let edge = self
    let report = AcceptReport(frame.logger)
    try await frame.loops.onEach { loop in try edge.open(parts, report, on: loop) }
    frame.health.set(unready: nil)
  }

  private func open(_ parts: Parts, _ report: AcceptReport, on loop: Loop) throws {
    let server = LoopServer(on: loop, configuration: parts.server, metrics: parts.serverMetrics)
    server.acceptFailed = { report.failed($0) }
    loop.setLocal(server)
    let handler = EdgeFront(
      health: frame.health, behind: EdgeHandler(proxy, metrics, on: server))
    let listeners = parts.listeners
    let sites = LoopSites()
    if let sockets = listeners.https {
      sites.https = try server.listen(
        sockets.socket(loop.index), tls: frame.https.current, handler: handler)
    }
    if let sockets = listeners.http {
      try server.listen(
        sockets.socket(loop.index), tls: nil,
        handler: parts.redirects
          ? RedirectHandler(handler, httpsPort: listeners.https?.address.port ?? 443) : handler)
    }
    if let sockets = listeners.admin {
      try server.listen(
        sockets.socket(loop.index), tls: nil, acceptsProxyHeader: false, isForOperator: true,
        handler: OperatorHandler(
          health: frame.health, registry: frame.registry, site: parts.site, drain: parts.drain))
    }
    loop.setLocal(sites)
  }

  /// Stops taking clients, and returns once responses under way are finished or have run out of time.
  func drain(_ words: String) async {
    frame.health.set(unready: words)
    await frame.onEachLoop { loop, done in
      guard let server = loop.local(LoopServer.self) else { return done() }
      server.drain { done() }
    }
  }
}

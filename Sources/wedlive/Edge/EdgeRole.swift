import Edge
import EventLoop
import Foundation
import HTTPClient
import HTTPServer
import Logging
import Operator
import ServiceLifecycle
import Telemetry

/// A node that viewers meet: it keeps what origins have, and asks each of them for it once.
enum EdgeRole {
  /// Starts the node and returns when it has been stopped.
  ///
  /// - Throws: `StartFailure` where it can't start; nothing is left half-started then.
  static func run(configuration: NodeConfiguration) async throws {
    guard !configuration.edge.upstreams.isEmpty else {
      throw StartFailure(
        "edge.upstreams: an edge needs one at least, such as https://origin-1.example.com:8443")
    }
    let folder = try DataFolder(configuration.data.path)
    let (logger, log) = LogSetUp.start(configuration)
    defer { log.flush() }
    let (frame, listeners, certificate) = try NodeFrame.start(
      configuration, folder, Health(), logger, log)
    let client: HTTPClient
    do throws(HTTPClientError) {
      client = try HTTPClient(configuration.edgeClient, metrics: frame.registry)
    } catch {
      throw StartFailure("edge.upstreams can't be asked: \(error)")
    }
    let proxy = EdgeProxy(configuration.edgeProxy, client: client)
    let edge = RunningEdge(
      frame: frame, proxy: proxy, metrics: EdgeMetrics(frame.registry, of: proxy))
    let (drainAsked, drain) = AsyncStream.makeStream(of: Void.self)
    try await edge.open(
      RunningEdge.Parts(
        listeners: listeners, redirects: configuration.http.redirect,
        server: configuration.server, serverMetrics: ServerMetrics(frame.registry),
        site: OperatorSite(
          names: [
            configuration.node.advertise, configuration.node.effectiveID,
            ProcessInfo.processInfo.hostName,
          ]), drain: { drain.yield() }))
    logger.notice(
      "node started",
      metadata: [
        "version": "\(Version.current)", "role": "edge",
        "upstreams": "\(configuration.edge.upstreams.joined(separator: " "))",
      ])
    let terminal = Terminal(STDOUT_FILENO)
    let banner = Banner(
      node: configuration.node.effectiveID, listeners: listeners.described, publish: [],
      watch: NodeAddresses.watch(configuration, listeners), status: nil, cipher: frame.cipher,
      certificate: certificate, dataPath: folder.path)
    terminal.write(banner.text(on: terminal))
    let service = NodeService(
      node: frame, grace: configuration.shutdown.drain, drainAsked: drainAsked,
      drain: { await edge.drain($0) })
    let outcome = await NodeFrame.outcome(
      of: NodeFrame.services(
        node: service, publishers: [],
        others: [CertificateService(node: frame), HeapService()], logger: logger))
    client.close()
    withExtendedLifetime(folder) {}
    try outcome.get()
  }
}

import Access
import Bytes
import Cluster
import EventLoop
import Logging
import Relay
import TLS
import Telemetry

/// How an edge with `rtmp.proxy: tcp` hands its publishers' connections on to the origins of its
/// cluster.
struct EdgeTCPProxy: Sendable {
  let cluster: NodeCluster
  let configuration: TCPProxyConfiguration
  let metrics: TCPProxyMetrics
  /// For RTMPS to origins; nil for RTMP.
  let tls: TLSContextSource?
  let returning: ReturningClients
  let logger: Logger

  /// Makes the proxy of one loop and registers it there.
  func open(on loop: Loop) -> TCPProxy {
    let edge = self
    return TCPProxy(
      on: loop, configuration: configuration,
      handlers: TCPProxyHandlers(
        place: { edge.place($0, $1) },
        failed: { name in
          if let id = NodeID(name) { edge.cluster.node.membership.report(failure: id) }
        },
        ended: { edge.ended($0) }), metrics: metrics, buffers: TLSBuffers())
  }

  private func place(_ client: SocketAddress, _ excluded: Set<String>) -> RelayTarget? {
    // One that was refused has used up what was remembered of it.
    let last = excluded.isEmpty ? returning.origin(of: client).flatMap { NodeID($0) } : nil
    guard let name = StreamID(wedding: RandomName.make(8), camera: Claims.mainCamera),
      let (node, connection) = cluster.node.placeConnection(
        named: name, preferring: last, excluding: Set(excluded.compactMap { NodeID($0) }))
    else { return nil }
    return RelayTarget(node, tls, connection)
  }

  private func ended(_ report: TCPProxyReport) {
    if let origin = report.origin, report.bytesToOrigin > 0 {
      switch report.outcome {
      case .finished, .clientLost, .idle: returning.left(report.client, origin)
      case .originLost, .noOrigin, .handshake, .stopped, .exhausted: break
      }
    }
    // Strangers who scan ports are no news.
    guard report.outcome != .handshake else { return }
    logger.info(
      "connection.\(report.outcome.rawValue.replacing(" ", with: "_"))",
      metadata: [
        "address": "\(report.client.host)", "origin": "\(report.origin ?? "-")",
        "to_origin": "\(report.bytesToOrigin)", "to_client": "\(report.bytesToClient)",
        "reason": "\(report.words)",
      ])
  }
}

extension RelayTarget {
  /// A node's address for publishers; nil where it has none.
  ///
  /// - Parameters:
  ///   - node: an origin.
  ///   - tls: for its RTMPS port; nil for the RTMP one.
  ///   - connection: counts for as long as the target is kept.
  ///   - resume: what tells it whose stream goes on there.
  init?(
    _ node: KnownNode, _ tls: TLSContextSource?, _ connection: ConnectionCounts.Connection,
    resume: String? = nil
  ) {
    let addresses = node.record.addresses
    guard let text = tls == nil ? addresses.rtmp : addresses.rtmps,
      let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    let host = text[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
    self.init(
      name: node.id.text, host: String(host), port: port, tls: tls?.current, resume: resume,
      handle: connection)
  }
}

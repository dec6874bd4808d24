package import Telemetry

/// What the plain TCP proxy of a node counts; shared by its loops.
package final class TCPProxyMetrics: Sendable {
  package let connections: Gauge
  package let pipes: Gauge
  package let refused: Counter
  package let acceptFailures: Counter
  package let bytesToOrigin: Counter
  package let bytesToClient: Counter
  private let outcomes: [TCPProxyOutcome: Counter]
  private let registry: MetricRegistry

  package init(_ registry: MetricRegistry) {
    self.registry = registry
    connections = registry.gauge(
      "wedlive_tcp_proxy_connections", help: "Clients that are handed on to origins, now.")
    pipes = registry.gauge(
      "wedlive_tcp_proxy_pipes", help: "Pipes with bytes in them that a side hasn't taken yet.")
    refused = registry.counter(
      "wedlive_tcp_proxy_refused_total",
      help: "Clients that were closed at once, as there were as many as may be.")
    acceptFailures = registry.counter(
      "wedlive_tcp_proxy_accept_failures_total",
      help: "How often no client could be accepted, most often for want of descriptors.")
    let bytes = { (direction: String) in
      registry.counter(
        "wedlive_tcp_proxy_bytes_total", help: "Bytes that were handed on, by direction.",
        labels: ["direction": direction])
    }
    bytesToOrigin = bytes("to_origin")
    bytesToClient = bytes("to_client")
    outcomes = Dictionary(
      uniqueKeysWithValues: TCPProxyOutcome.allCases.map {
        (
          $0,
          registry.counter(
            "wedlive_tcp_proxy_connections_total",
            help: "Clients that were handed on, by how that ended.",
            labels: ["outcome": $0.rawValue])
        )
      })
  }

  /// How many connections have ended so.
  package func count(_ outcome: TCPProxyOutcome) -> UInt64 { outcomes[outcome]?.value ?? 0 }

  func ended(_ outcome: TCPProxyOutcome) { outcomes[outcome]?.increment() }

  /// Counts an origin that took no connection; `reason` is one of a fixed few words.
  func failed(_ reason: String) {
    registry.counter(
      "wedlive_tcp_proxy_origin_failures_total",
      help: "Origins that took no connection, by reason.", labels: ["reason": reason]
    ).increment()
  }
}

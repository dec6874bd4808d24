import Telemetry

/// What is counted of a CDN's purges on this node: `wedlive_cdn_…`.
final class CDNMetrics: Sendable {
  private let registry: MetricRegistry
  private let provider: String
  private let queued: Gauge
  private let oldest: Gauge
  private let holding: Gauge

  init(_ registry: MetricRegistry?, provider: String) {
    // Without a registry they are counted for nobody.
    let registry = registry ?? MetricRegistry()
    self.registry = registry
    self.provider = provider
    let labels: Labels = ["provider": provider]
    queued = registry.gauge(
      "wedlive_cdn_queued", help: "Purges that wait, as the node that does them sees it.",
      labels: labels)
    oldest = registry.gauge(
      "wedlive_cdn_oldest_seconds", help: "How long the oldest purge has waited.", labels: labels)
    holding = registry.gauge(
      "wedlive_cdn_holding", help: "1 on the node that does the purges.", labels: labels)
  }

  /// How the queue stands; nil where another node does the purges.
  func saw(_ status: PurgeStatus?) {
    queued.set(status?.queued ?? 0)
    oldest.set(Int(status?.oldestAge?.components.seconds ?? 0))
    holding.set(status == nil ? 0 : 1)
  }

  /// Purges were `queued`, `sent`, `failed` (given up), or not queued: `refused`.
  func count(_ result: String, _ purges: Int = 1) {
    registry.counter(
      "wedlive_cdn_purges_total", help: "Purges by what became of them on this node.",
      labels: ["provider": provider, "result": result]
    ).add(purges)
  }

  /// A call of the CDN's API ended.
  func call(_ error: CDNError?) {
    registry.counter(
      "wedlive_cdn_calls_total", help: "Calls of a CDN by how they ended.",
      labels: ["provider": provider, "result": error?.code.rawValue ?? "done"]
    ).increment()
  }
}

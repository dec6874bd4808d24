package import Telemetry

/// What the RTMP side of a node counts.
package final class IngestMetrics: Sendable {
  package let connections: Gauge
  package let publishers: Gauge
  package let players: Gauge
  package let accepted: Counter
  let acceptFailures: Counter
  package let bytesReceived: Counter
  package let bytesSent: Counter
  package let playerDrops: Counter
  package let publishRefused: Counter
  package let playRefused: Counter
  private let registry: MetricRegistry

  package init(_ registry: MetricRegistry) {
    self.registry = registry
    connections = registry.gauge(
      "nginx_rtmp_connections", help: "Open RTMP connections, publishers and players.")
    publishers = registry.gauge("wedlive_rtmp_publishers", help: "RTMP publishers.")
    players = registry.gauge("wedlive_rtmp_players", help: "RTMP players.")
    accepted = registry.counter(
      "wedlive_rtmp_connections_total", help: "RTMP connections accepted.")
    acceptFailures = registry.counter(
      "wedlive_rtmp_accept_failures_total",
      help: "How often accepting rested, most often for want of descriptors.")
    bytesReceived = registry.counter(
      "wedlive_rtmp_received_bytes_total", help: "Bytes received over RTMP, inside TLS.")
    bytesSent = registry.counter(
      "wedlive_rtmp_sent_bytes_total", help: "Bytes sent over RTMP.")
    playerDrops = registry.counter(
      "wedlive_rtmp_player_drops_total",
      help: "How often a slow player was dropped to the next keyframe.")
    publishRefused = registry.counter(
      "wedlive_rtmp_publish_refused_total", help: "Publish requests refused.")
    playRefused = registry.counter(
      "wedlive_rtmp_play_refused_total", help: "Play requests refused.")
  }

  /// Counts a connection that ended; `reason` is one of a fixed few words.
  func closed(_ reason: String) {
    registry.counter(
      "wedlive_rtmp_closed_total", help: "RTMP connections that ended, by reason.",
      labels: ["reason": reason]
    ).increment()
  }
}

package import Telemetry

/// What the relay of a node counts; shared by its loops.
package final class RelayMetrics: Sendable {
  package let streams: Gauge
  package let originConnections: Gauge
  package let endedStreams: Gauge
  package let keptBytes: Gauge
  package let heldBack: Gauge
  package let forwardedBytes: Counter
  package let holdBacks: Counter
  package let failovers: Counter
  package let handovers: Counter
  package let replayedMessages: Counter
  package let lostMessages: Counter
  package let givenUp: Counter
  private let registry: MetricRegistry

  package init(_ registry: MetricRegistry) {
    self.registry = registry
    streams = registry.gauge("wedlive_relay_streams", help: "Streams that are relayed to origins.")
    originConnections = registry.gauge(
      "wedlive_relay_origin_connections", help: "Open RTMP connections to origins.")
    endedStreams = registry.gauge(
      "wedlive_relay_ended_streams",
      help: "Streams that have ended, and whose end is kept in case their origin is lost.")
    keptBytes = registry.gauge(
      "wedlive_relay_kept_bytes", help: "Bytes of streams that are kept to be replayed.")
    heldBack = registry.gauge(
      "wedlive_relay_held_back", help: "Publishers that aren't read because their origin is slow.")
    forwardedBytes = registry.counter(
      "wedlive_relay_forwarded_bytes_total", help: "Bytes that origins' sockets have taken.")
    holdBacks = registry.counter(
      "wedlive_relay_hold_backs_total",
      help: "How often a publisher was held back because its origin was slow.")
    failovers = registry.counter(
      "wedlive_relay_failovers_total", help: "Origins that were lost while they had a stream.")
    handovers = registry.counter(
      "wedlive_relay_handovers_total", help: "Streams that moved to another origin in order.")
    replayedMessages = registry.counter(
      "wedlive_relay_replayed_messages_total",
      help: "Messages that were sent again, to another origin.")
    lostMessages = registry.counter(
      "wedlive_relay_lost_messages_total",
      help: "Messages that reached no origin, as nothing could be replayed from.")
    givenUp = registry.counter(
      "wedlive_relay_given_up_total", help: "Streams for which no origin was found in time.")
  }

  /// Counts a connection to an origin that came to nothing; `reason` is one of a fixed few words.
  func failed(_ reason: String) {
    registry.counter(
      "wedlive_relay_origin_failures_total",
      help: "Connections to origins that failed or were lost, by reason.",
      labels: ["reason": reason]
    ).increment()
  }
}

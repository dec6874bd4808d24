import Telemetry

/// What following live streams came to.
struct LiveMetrics: Sendable {
  /// Playlists that were handed to loops.
  let updates: Counter
  /// Questions that got no answer.
  let failures: Counter
  /// Answers that were older than what viewers had.
  let stale: Counter
  /// Answers that were not handed on at once, as a segment did not come.
  let delayed: Counter
  /// Answers of nodes whose stream is another node's by now.
  let fenced: Counter
  /// Segments that were asked for before any viewer did.
  let pushed: Counter
  /// Streams that were not followed, as many as may be followed being so.
  let refused: Counter

  init(_ registry: MetricRegistry) {
    updates = registry.counter(
      "wedlive_edge_live_updates_total", help: "States of live streams that came from their nodes.")
    failures = registry.counter(
      "wedlive_edge_live_failures_total", help: "Questions for live streams without an answer.")
    stale = registry.counter(
      "wedlive_edge_live_stale_total",
      help: "States that were refused, being older than what viewers had.")
    delayed = registry.counter(
      "wedlive_edge_live_delayed_total",
      help: "States that were held back once, as a segment that they name did not come.")
    fenced = registry.counter(
      "wedlive_edge_live_fenced_total",
      help: "States that were refused, the stream being another node's than the one that told.")
    pushed = registry.counter(
      "wedlive_edge_live_pushed_total", help: "Segments fetched before a viewer asked.")
    refused = registry.counter(
      "wedlive_edge_live_refused_total",
      help: "Wishes for streams that were refused, as many being followed as may be.")
  }
}

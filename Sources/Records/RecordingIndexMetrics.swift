package import Telemetry

/// What a node tells others of its recordings, counted.
package struct RecordingIndexMetrics: Sendable {
  /// Of how many recordings Redis has been told.
  let entries: Gauge
  /// How many are too many to be told of.
  let leftOut: Gauge
  let written: Counter
  let removed: Counter
  /// Attempts that failed, and are made again.
  let failed: Counter

  package init(_ registry: MetricRegistry) {
    entries = registry.gauge(
      "wedlive_recording_index_entries", help: "Recordings of this node that others know of.")
    leftOut = registry.gauge(
      "wedlive_recording_index_left_out",
      help: "Recordings of this node that others don't know of: more than cluster.recordings.")
    func writes(_ result: String) -> Counter {
      registry.counter(
        "wedlive_recording_index_writes_total",
        help: "What was told to Redis of this node's recordings.", labels: ["result": result])
    }
    written = writes("written")
    removed = writes("removed")
    failed = writes("failed")
  }
}

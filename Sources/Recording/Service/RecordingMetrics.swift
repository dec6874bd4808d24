package import Telemetry

/// What an operator sees of recordings.
package struct RecordingMetrics: Sendable {
  private let registry: MetricRegistry
  let active: Gauge
  let jobs: Gauge
  let bytes: Counter
  let retries: Counter
  let uploaded: Counter

  package init(_ registry: MetricRegistry) {
    self.registry = registry
    active = registry.gauge(
      "wedlive_recordings_active", help: "Recordings that are being written now.")
    jobs = registry.gauge(
      "wedlive_recording_jobs", help: "Recordings that wait to be processed or are.")
    bytes = registry.counter(
      "wedlive_recorded_bytes_total", help: "Bytes of streams that were written to disk.")
    retries = registry.counter(
      "wedlive_recording_retries_total",
      help: "Steps of processing recordings that failed and are tried again.")
    uploaded = registry.counter(
      "wedlive_recording_uploaded_bytes_total",
      help: "Bytes of recordings that the storage has confirmed.")
  }

  /// A recording is over, deleted, or has failed.
  func ended(_ outcome: String) {
    registry.counter(
      "wedlive_recordings_total", help: "Recordings by what became of them.",
      labels: ["outcome": outcome]
    ).increment()
  }

  /// A part ended, for a reason.
  func partEnded(_ end: PartEnd) {
    registry.counter(
      "wedlive_recording_parts_total", help: "Parts of recordings by why they ended.",
      labels: ["end": end.code]
    ).increment()
  }
}

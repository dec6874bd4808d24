import HTTP2
package import Telemetry

/// What the HTTP server counts, over all loops and listeners.
package final class ServerMetrics: Sendable {
  let requests: [Counter]
  let responses: [Counter]
  let closed: [Counter]
  let violations: [Counter]
  let opened: Counter
  let acceptFailures: Counter
  let sentBytes: Counter
  let receivedBytes: Counter
  let paced: Counter
  let pacedWaits: Counter
  let rests: Counter
  package let connections: Gauge
  package let held: Gauge

  /// Registers the metrics; a second server of the process shares them.
  package init(_ registry: MetricRegistry) {
    requests = ["http1", "http2"].map {
      registry.counter(
        "wedlive_http_requests_total", help: "Requests, by protocol.", labels: ["protocol": $0])
    }
    responses = (1...5).map {
      registry.counter(
        "wedlive_http_responses_total", help: "Responses, by class of status.",
        labels: ["class": "\($0)xx"])
    }
    closed = CloseReason.allCases.map {
      registry.counter(
        "wedlive_http_connections_closed_total", help: "Connections closed, by reason.",
        labels: ["reason": $0.rawValue])
    }
    violations = HTTP2Violation.allCases.map {
      registry.counter(
        "wedlive_http2_violations_total", help: "HTTP/2 connections refused, by budget.",
        labels: ["budget": $0.rawValue])
    }
    opened = registry.counter(
      "wedlive_http_connections_opened_total", help: "Connections accepted.")
    acceptFailures = registry.counter(
      "wedlive_http_accept_failures_total",
      help: "How often accepting rested, most often for want of descriptors.")
    sentBytes = registry.counter(
      "wedlive_http_sent_bytes_total", help: "Bytes sent, as they were on the wire.")
    receivedBytes = registry.counter(
      "wedlive_http_received_bytes_total", help: "Bytes received, as they were on the wire.")
    paced = registry.counter(
      "wedlive_http_paced_responses_total",
      help: "Responses that may not be sent as fast as their client takes them.")
    pacedWaits = registry.counter(
      "wedlive_http_paced_waits_total", help: "How often one of them had to wait.")
    rests = registry.counter(
      "wedlive_http_rests_total", help: "How often an idle connection has given memory back.")
    connections = registry.gauge("wedlive_http_connections", help: "Open connections.")
    held = registry.gauge(
      "wedlive_http_held_requests", help: "Requests that wait for a playlist to change.")
  }
}

/// One loop's part of the counters: a cache line of its own each.
final class LoopMetrics {
  let shared: ServerMetrics
  let requests: [Counter.Cell]
  let responses: [Counter.Cell]
  let sentBytes: Counter.Cell
  let receivedBytes: Counter.Cell

  init(_ shared: ServerMetrics) {
    self.shared = shared
    requests = shared.requests.map { $0.cell() }
    responses = shared.responses.map { $0.cell() }
    sentBytes = shared.sentBytes.cell()
    receivedBytes = shared.receivedBytes.cell()
  }

  func closed(_ reason: CloseReason) {
    if let index = CloseReason.allCases.firstIndex(of: reason) {
      shared.closed[index].increment()
    }
  }

  func violated(_ violation: HTTP2Violation) {
    if let index = HTTP2Violation.allCases.firstIndex(of: violation) {
      shared.violations[index].increment()
    }
  }

  func answered(_ status: Int) { responses[min(max(status / 100, 1), 5) - 1].increment() }
}

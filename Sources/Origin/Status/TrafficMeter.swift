import EventLoop
package import Ingest
import Synchronization
package import Telemetry

/// All traffic of a node: bytes since the start, and rates since somebody asked last.
package final class TrafficMeter: Sendable {
  private struct Rates {
    var at = MonotonicTime.now
    var traffic = TrafficStatus()
    /// Bytes when the rates were taken.
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
  }

  private let sent: [Counter]
  private let received: [Counter]
  private let rates = Mutex(Rates())

  /// - Parameters:
  ///   - ingest: where the RTMP server counts.
  ///   - registry: where the HTTP server does.
  ///   - proxied: what comes from clients whose bytes are only handed on, and what goes to them.
  package init(
    _ ingest: IngestMetrics, _ registry: MetricRegistry,
    proxied: (received: Counter, sent: Counter)? = nil
  ) {
    sent =
      [
        ingest.bytesSent,
        registry.counter(
          "wedlive_http_sent_bytes_total", help: "Bytes sent, as they were on the wire."),
      ] + (proxied.map { [$0.sent] } ?? [])
    received =
      [
        ingest.bytesReceived,
        registry.counter(
          "wedlive_http_received_bytes_total", help: "Bytes received, as they were on the wire."),
      ] + (proxied.map { [$0.received] } ?? [])
  }

  /// Bytes so far, and the rates since the last time anybody asked, at least a second ago.
  package var traffic: TrafficStatus {
    let bytesIn = received.reduce(0) { $0 + $1.value }
    let bytesOut = sent.reduce(0) { $0 + $1.value }
    return rates.withLock { rates in
      let elapsed = MonotonicTime.now - rates.at
      if elapsed >= .seconds(1) {
        let milliseconds = UInt64(elapsed.nanoseconds / 1_000_000)
        rates.traffic.bitsInPerSecond = (bytesIn &- rates.bytesIn) * 8_000 / milliseconds
        rates.traffic.bitsOutPerSecond = (bytesOut &- rates.bytesOut) * 8_000 / milliseconds
        rates.at = .now
        rates.bytesIn = bytesIn
        rates.bytesOut = bytesOut
      }
      rates.traffic.bytesIn = bytesIn
      rates.traffic.bytesOut = bytesOut
      return rates.traffic
    }
  }
}

package import EventLoop
package import Ingest
import Synchronization
package import Telemetry
import Viewers

/// All traffic of a node: bytes since the start, and rates of the last seconds.
package final class TrafficMeter: Sendable {
  private struct Rates {
    var received: AverageRate
    var sent: AverageRate
  }

  /// For how long rates stay as they are.
  private static let step = Duration.seconds(1)

  private let sent: [Counter]
  private let received: [Counter]
  private let rates: Mutex<Rates>
  private let now: @Sendable () -> MonotonicTime

  /// Makes a meter.
  ///
  /// - Parameters:
  ///   - ingest: where the RTMP server counts.
  ///   - registry: where the HTTP server does.
  ///   - proxied: what comes from clients whose bytes are only handed on, and what goes to them.
  ///   - now: the time.
  package init(
    _ ingest: IngestMetrics, _ registry: MetricRegistry,
    proxied: (received: Counter, sent: Counter)? = nil,
    now: @escaping @Sendable () -> MonotonicTime = { .now }
  ) {
    self.now = now
    let rate = AverageRate(at: now(), step: Self.step)
    rates = Mutex(Rates(received: rate, sent: rate))
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

  /// Bytes so far, and the rates as they were when somebody asked last, at least a second ago.
  package var traffic: TrafficStatus {
    let bytesIn = received.reduce(0) { $0 + $1.value }
    let bytesOut = sent.reduce(0) { $0 + $1.value }
    return rates.withLock { rates in
      let now = now()
      rates.received.note(bytesIn, at: now)
      rates.sent.note(bytesOut, at: now)
      return TrafficStatus(
        bytesIn: bytesIn, bytesOut: bytesOut, bitsInPerSecond: rates.received.bitsPerSecond,
        bitsOutPerSecond: rates.sent.bitsPerSecond)
    }
  }
}

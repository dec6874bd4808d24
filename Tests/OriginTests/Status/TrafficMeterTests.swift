import EventLoop
import Ingest
import Synchronization
import Telemetry
import Testing

@testable import Origin

@Suite struct `Traffic of a node` {
  @Test func `is an average over some segments, however often it is asked for`() {
    let registry = MetricRegistry()
    let time = Mutex(MonotonicTime(nanoseconds: 1_000_000_000))
    let sent = Counter()
    let meter = TrafficMeter(
      IngestMetrics(registry), registry, proxied: (received: Counter(), sent: sent),
      now: { time.withLock { $0 } })
    for second in 1...60 {
      time.withLock { $0 = $0 + .seconds(1) }
      if second.isMultiple(of: 3) { sent.add(3_000_000) }
      let traffic = meter.traffic
      #expect(traffic.bytesOut == UInt64(second / 3 * 3_000_000))
      #expect(traffic.bitsInPerSecond == 0)
      guard second >= 20 else { continue }
      #expect((6_800_000...9_200_000).contains(traffic.bitsOutPerSecond), "\(second)")
    }
  }
}

import EventLoop
import Origin
import ServiceLifecycle
import Synchronization
import Telemetry
import Viewers

/// How many viewers a node has: who has asked for something of a stream within the last seconds.
///
/// Each loop knows its own, and is asked now and then; whoever wants to know is told at once.
final class ViewerCensus: Service, Sendable {
  private let loops: [LoopMailbox]
  private let gauge: Gauge
  private let interval: Duration

  init(_ loops: [LoopMailbox], _ registry: MetricRegistry, every interval: Duration) {
    self.interval = interval
    self.loops = loops
    gauge = registry.gauge(
      "wedlive_viewers",
      help: "Viewers who have asked for something of a stream within 15 seconds, for each stream.")
  }

  /// As counted last.
  var count: Int { gauge.value }

  func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      await take()
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: self.interval) } } catch
      { return }
    }
  }

  private func take() async {
    gauge.set(
      await loops.total { loop in
        loop.local(ViewerSite.self)?.table.viewers(now: loop.now.nanoseconds / 1_000_000_000) ?? 0
      })
  }
}

import EventLoop
import Origin
import ServiceLifecycle
import Synchronization
import Telemetry
import Viewers

/// How many viewers a node has: who has asked for something of a stream within the last seconds.
///
/// Each loop knows its own, and is asked every two seconds; whoever wants to know is told at once.
final class ViewerCensus: Service, Sendable {
  private static let interval = Duration.seconds(2)

  private let loops: [LoopMailbox]
  private let gauge: Gauge

  init(_ loops: [LoopMailbox], _ registry: MetricRegistry) {
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
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) } } catch
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

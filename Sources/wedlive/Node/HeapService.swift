import ServiceLifecycle
import Telemetry

/// Gives memory back to the machine once a minute, after a load that needed much more of it.
struct HeapService: Service {
  private static let interval = Duration.seconds(60)

  func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) } } catch
      { return }
      SpareHeap.giveBack()
    }
  }
}

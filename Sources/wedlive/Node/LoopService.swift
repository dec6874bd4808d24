import EventLoop
import ServiceLifecycle

/// The loops as a service: they end when everything above them has.
struct LoopService: Service {
  let loops: LoopGroup

  func run() async throws {
    try? await gracefulShutdown()
    loops.stop()
  }
}

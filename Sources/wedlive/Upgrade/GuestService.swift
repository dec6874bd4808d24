import Origin
import ServiceLifecycle

/// Has programs here show cameras whose publishers are with the processes before this one.
struct GuestService: Service {
  let guests: GuestCameras

  func run() async throws {
    await cancelWhenGracefulShutdown { await guests.run() }
    try? await gracefulShutdown()
  }
}

import Recording
import ServiceLifecycle

/// Runs the recordings until the node's publishers have gone and what they sent is on disk.
struct RecordingRunner: Service {
  let recordings: RecordingService

  func run() async throws {
    await withGracefulShutdownHandler {
      await recordings.run()
    } onGracefulShutdown: {
      Task { await recordings.shutDown() }
    }
  }
}

import Logging
import ServiceLifecycle

/// `standalone --demo`: publishes a test picture to the node itself, again and again.
struct DemoPublisher: Service {
  let options: PublishOptions
  let logger: Logger
  /// How long to wait before it tries again.
  var pause = Duration.seconds(2)

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          _ = try await PublishTask(options).run()
        } catch {
          // The server's own words; no token is in them.
          logger.warning("demo stopped", metadata: ["reason": "\(error)"])
        }
        try? await Task.sleep(for: pause)
      }
    }
  }
}

import Logging
import ServiceLifecycle

/// `standalone --demo`: publishes a test picture to the node itself, again and again, until another
/// process is the node, which has a demo of its own.
struct DemoPublisher: Service {
  let options: PublishOptions
  let logger: Logger
  /// Ends when another process is the node.
  let replaced: AsyncStream<Never>
  /// How long to wait before it tries again.
  var pause = Duration.seconds(2)

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup { group in
        group.addTask { await publish() }
        group.addTask { for await _ in replaced {} }
        await group.next()
        group.cancelAll()
      }
    }
    // The node goes on without it while others publish.
    try? await gracefulShutdown()
  }

  private func publish() async {
    while !Task.isCancelled {
      do {
        _ = try await PublishTask(options).run()
      } catch {
        guard !Task.isCancelled else { return }
        // The server's own words; no token is in them.
        logger.warning("demo stopped", metadata: ["reason": "\(error)"])
      }
      try? await Task.sleep(for: pause)
    }
  }
}

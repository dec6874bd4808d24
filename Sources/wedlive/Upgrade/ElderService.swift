import ServiceLifecycle

/// Waits for the processes before this one to end, and takes up what they leave.
struct ElderService: Service {
  /// How often they are asked how they do, for this one's metrics.
  private static let interval = Duration.seconds(2)

  let succession: Succession
  /// Asks them.
  let ask: @Sendable () async -> Void
  /// Called once, when this is the node's only process.
  let takeUp: @Sendable () async -> Void

  func run() async throws {
    await cancelWhenGracefulShutdown {
      let asking = Task {
        while !Task.isCancelled {
          await ask()
          try? await Task.sleep(for: Self.interval)
        }
      }
      await succession.alone()
      asking.cancel()
      if !Task.isCancelled { await takeUp() }
    }
    try? await gracefulShutdown()
  }
}

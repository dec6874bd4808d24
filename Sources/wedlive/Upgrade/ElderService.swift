import ServiceLifecycle

/// Waits for the processes before this one to end, and takes up what they leave.
struct ElderService: Service {
  let succession: Succession
  /// Called once, when this is the node's only process.
  let takeUp: @Sendable () async -> Void

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await succession.alone()
      if !Task.isCancelled { await takeUp() }
    }
    try? await gracefulShutdown()
  }
}

import Origin
import ServiceLifecycle

/// Tells the ends of streams that the processes before this one have left, in a node without a
/// cluster, where nobody else would.
struct LeftEndService: Service {
  let origin: OriginNode
  let succession: Succession
  /// Whether a later process is the node.
  let isReplaced: @Sendable () -> Bool

  func run() async throws {
    await cancelWhenGracefulShutdown {
      // As long as another one is there, it has its streams.
      await succession.alone()
      await origin.endLeft { !isReplaced() }
    }
    try? await gracefulShutdown()
  }
}

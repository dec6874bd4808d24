import Logging
import EventLoop
import Operator
import ServiceLifecycle

/// The node as a service: it serves until it is told to stop, then drains and ends its loops.
struct NodeService: Service {
  let node: NodeFrame
  /// How long it answers on, unready, before it closes its ports.
  let grace: Duration
  let drainAsked: AsyncStream<Void>
  /// Stops taking clients, and returns once those it has are seen to; told why.
  let drain: @Sendable (String) async -> Void
  /// Tells others that it takes nothing new, and returns once they have taken over what they can, or
  /// after a while.
  var handOver: @Sendable () async -> Void = {}

  func run() async throws {
    await withTaskGroup { group in
      group.addTask { try? await gracefulShutdown() }
      group.addTask { for await _ in drainAsked { return } }
      await group.next()
      group.cancelAll()
    }
    node.logger.info("node draining")
    node.health.set(unready: "the node is stopping")
    await handOver()
    if grace > .zero { try? await Task.sleep(for: grace) }
    await drain("the node is stopping")
    let loops = node.loops
    await Task.detached { loops.stop() }.value
    node.logger.info("node stopped")
  }
}

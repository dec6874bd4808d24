import Operator
import Origin
import Logging
import EventLoop
import ServiceLifecycle

/// The node as a service: it serves until it is told to stop, then drains and ends its loops.
struct NodeService: Service {
  let node: RunningNode
  /// How long it answers on, unready, before it closes its ports.
  let grace: Duration
  let drainAsked: AsyncStream<Void>

  func run() async throws {
    await withTaskGroup { group in
      group.addTask { try? await gracefulShutdown() }
      group.addTask { for await _ in drainAsked { return } }
      await group.next()
      group.cancelAll()
    }
    node.logger.info("node draining")
    node.origin.health.set(unready: "the node is stopping")
    if grace > .zero { try? await Task.sleep(for: grace) }
    await node.drain("the node is stopping")
    let loops = node.loops
    await Task.detached { loops.stop() }.value
    node.logger.info("node stopped")
  }
}

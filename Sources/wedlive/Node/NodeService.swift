import EventLoop
import Logging
import Operator
import ServiceLifecycle

/// The node as a service: it serves until it is told to stop, then drains and ends its loops.
struct NodeService: Service {
  let node: NodeFrame
  /// How long it answers on, unready, before it closes its ports.
  let grace: Duration
  let drainAsked: AsyncStream<DrainOrder>
  /// Stops taking clients, and returns once those it has are seen to; told why.
  let drain: @Sendable (String) async -> Void
  /// Tells others that it takes nothing new, and returns once they have taken over what they can,
  /// or after a while.
  var handOver: @Sendable () async -> Void = {}
  /// Leaves clients to the process that goes on with the node, and returns once none is left, or
  /// after a while.
  var leave: @Sendable () async -> Void = {}

  func run() async throws {
    let order = await first { ends in
      [
        Task {
          try? await gracefulShutdown()
          ends.yield(.stop)
        },
        Task { for await order in drainAsked { ends.yield(order) } },
      ]
    }
    if case .replaced(let link) = order {
      await leave(to: link)
      await drain("this process was replaced by a new one")
    } else {
      ServiceManager.stopping()
      node.logger.info("node draining")
      node.health.leave("the node is stopping")
      await handOver()
      if grace > .zero { try? await Task.sleep(for: grace) }
      await drain("the node is stopping")
    }
    let loops = node.loops
    await Task.detached { loops.stop() }.value
    node.logger.info("node stopped")
  }

  /// Leaves what there is to the new process for as long as that is there, and nobody wants this
  /// one to stop as well.
  private func leave(to link: UpgradeLink) async {
    node.logger.info("node leaves its clients to the new process")
    _ = await first { ends in
      [
        Task {
          await leave()
          ends.yield(.stop)
        },
        Task {
          try? await gracefulShutdown()
          ends.yield(.stop)
        },
        Task {
          await link.end()
          ends.yield(.stop)
        },
      ]
    }
  }

  /// The first of what several tasks bring; the others are cancelled.
  private func first(
    _ start: (AsyncStream<DrainOrder>.Continuation) -> [Task<Void, Never>]
  ) async -> DrainOrder {
    let (orders, ends) = AsyncStream.makeStream(of: DrainOrder.self)
    let tasks = start(ends)
    defer { for task in tasks { task.cancel() } }
    for await order in orders { return order }
    return .stop
  }
}

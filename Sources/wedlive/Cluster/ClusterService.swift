import EventLoop
import ServiceLifecycle

/// The node's place in its cluster as a service: it is there until it is told to stop.
struct ClusterService: Service {
  let cluster: NodeCluster

  func run() async throws {
    await cancelWhenGracefulShutdown { await cluster.run() }
  }
}

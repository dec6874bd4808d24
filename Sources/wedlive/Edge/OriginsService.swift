import Cluster
import Edge
import ServiceLifecycle

/// Keeps the edge's upstreams what the cluster's origins are.
struct OriginsService: Service {
  let cluster: NodeCluster
  let pool: UpstreamPool

  func run() async throws {
    await cancelWhenGracefulShutdown {
      pool.set(cluster.origins)
      for await _ in cluster.node.membership.changes { pool.set(cluster.origins) }
    }
  }
}

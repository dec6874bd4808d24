import Cluster
import Edge
import Logging
import Operator
import ServiceLifecycle
import Telemetry

/// Keeps the edge's upstreams what the cluster's origins are, and says where there are none.
///
/// An edge that has never known an origin isn't ready: nobody would get anything of it. One whose
/// origins have gone stays so: it has what it keeps, and all other edges have lost the same ones,
/// so that a balancer would be left with nothing.
struct OriginsService: Service {
  /// What `/readyz` says until an origin is known.
  static let waiting =
    "it knows no origin yet: none has said in Redis that it is there, or Redis can't be reached"

  let cluster: NodeCluster
  let pool: UpstreamPool
  let health: Health
  let registry: MetricRegistry
  let logger: Logger

  func run() async throws {
    let gauge = registry.gauge(
      "wedlive_edge_origins", help: "Origins of the cluster that this edge can reach.")
    await cancelWhenGracefulShutdown {
      var known = -1
      func take() {
        let origins = cluster.origins
        pool.set(origins)
        gauge.set(origins.count)
        if !origins.isEmpty { health.set(waiting: nil) }
        health.set(
          remark: origins.isEmpty ? "no origin can be reached; what is kept is served" : nil)
        if origins.isEmpty, known != 0 {
          logger.warning("no origin can be reached")
        } else if !origins.isEmpty, known == 0 {
          logger.notice("origins can be reached", metadata: ["count": "\(origins.count)"])
        }
        known = origins.count
      }
      take()
      for await _ in cluster.node.membership.changes { take() }
    }
  }
}

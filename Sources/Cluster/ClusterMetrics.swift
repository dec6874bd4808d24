import Telemetry

/// What is counted of the cluster as this node sees it: `wedlive_cluster_…`.
final class ClusterMetrics: Sendable {
  private let registry: MetricRegistry
  let coordinated: Gauge
  let events: Counter
  let leases: Gauge

  init(_ registry: MetricRegistry?) {
    // Without a registry they are counted for nobody.
    let registry = registry ?? MetricRegistry()
    self.registry = registry
    coordinated = registry.gauge(
      "wedlive_cluster_coordinated",
      help: "1 while what Redis says of the nodes is known; 0: this node goes on by itself.")
    events = registry.counter(
      "wedlive_cluster_events_total", help: "Events of the cluster that were read.")
    leases = registry.gauge("wedlive_cluster_leases", help: "Streams that this node holds.")
  }

  /// How many nodes there are, by how they are seen.
  func saw(_ counts: [String: Int]) {
    for status in KnownNode.statuses {
      registry.gauge(
        "wedlive_cluster_nodes", help: "Nodes that are known, by how this one sees them.",
        labels: ["status": status]
      ).set(counts[status] ?? 0)
    }
  }

  /// Something in Redis isn't a thing of ours: `node`, `seal`, `stream`, `event`, `invalidation`.
  func refused(_ kind: String) {
    registry.counter(
      "wedlive_cluster_refused_records_total",
      help: "Records and events that no node of ours would write, by kind.",
      labels: ["kind": kind]
    ).increment()
  }

  /// A heartbeat was written, or not.
  func beat(_ succeeded: Bool) {
    registry.counter(
      "wedlive_cluster_heartbeats_total", help: "Heartbeats by how they ended.",
      labels: ["result": succeeded ? "written" : "failed"]
    ).increment()
  }

  /// Another process uses our name.
  func conflict() {
    registry.counter(
      "wedlive_cluster_conflicts_total",
      help: "Times that another process had written this node's record."
    ).increment()
  }

  /// A peer was checked.
  func check(_ succeeded: Bool) {
    registry.counter(
      "wedlive_cluster_checks_total", help: "Checks of peers by how they ended.",
      labels: ["result": succeeded ? "passed" : "failed"]
    ).increment()
  }

  /// A node has left the view.
  func removed(_ reason: String) {
    registry.counter(
      "wedlive_cluster_removals_total", help: "Nodes that left this node's view, by reason.",
      labels: ["reason": reason]
    ).increment()
  }

  /// A stream was claimed: `granted`, `held`, `provisional`, `failed`.
  func claim(_ result: String) {
    registry.counter(
      "wedlive_cluster_claims_total", help: "Claims of streams by how they ended.",
      labels: ["result": result]
    ).increment()
  }

  /// A lease was lost to another node.
  func lost() {
    registry.counter(
      "wedlive_cluster_lost_leases_total", help: "Leases that another node has taken."
    ).increment()
  }

  /// A stream was looked at that may have ended without a word: `told`, `later` where it hasn't or
  /// may not have, `kept` where a node may have it that this one can't see, `gone` where there is
  /// nothing to tell.
  func looked(atEnd result: String) {
    registry.counter(
      "wedlive_cluster_ends_total",
      help: "Streams looked at that may have ended with their origin, by what came of it.",
      labels: ["result": result]
    ).increment()
  }

  /// An owner was asked for: `known`, `looked_up`, `stale`, `failed`.
  func lookUp(_ result: String) {
    registry.counter(
      "wedlive_cluster_lookups_total", help: "Owners of streams that were asked for, by source.",
      labels: ["result": result]
    ).increment()
  }

  /// An invalidation was read: `purge`, or `missed` for a gap.
  func invalidation(_ kind: String) {
    registry.counter(
      "wedlive_cluster_invalidations_total", help: "Invalidations that were read, and gaps.",
      labels: ["kind": kind]
    ).increment()
  }
}

package import Logging
package import Redis
package import Telemetry

/// One node's share in the cluster, put together: who is there, which streams are whose, where new
/// ones go, what caches must forget.
package final class ClusterNode: Sendable {
  package let events: ClusterEvents
  package let membership: Membership
  package let leases: StreamLeases
  package let ends: StreamEnds
  package let directory: StreamDirectory
  package let invalidations: Invalidations
  /// This node's connections to others, by which new ones are placed.
  package let connections = ConnectionCounts()
  package let placement: Placement
  private let homes: WeddingHomes
  private let redis: RedisClient
  private let logger: Logger

  /// Makes a node's share; nothing is written before `run`.
  ///
  /// - Parameters:
  ///   - record: what it says of itself; its state is `starting` until `membership.update`.
  ///   - redis: whose client outlives this.
  ///   - configuration: the same on all nodes.
  ///   - probe: asks peers whether they live; nil: nobody is asked.
  ///   - measure: called at each heartbeat for the load; nil: what `membership.update` sets.
  ///   - registry: where `wedlive_cluster_…` are counted.
  ///   - logger: for what a person should know.
  /// - Throws: `.refused` where the record has an address or another value that no node may have.
  package init(
    _ record: NodeRecord, redis: RedisClient,
    configuration: ClusterConfiguration = ClusterConfiguration(), probe: PeerProbe? = nil,
    measure: (@Sendable () -> NodeLoad)? = nil, metrics registry: MetricRegistry? = nil,
    logger: Logger
  ) throws(ClusterError) {
    if let problem = record.problem { throw .refused(problem) }
    let metrics = ClusterMetrics(registry)
    let events = ClusterEvents(redis, configuration, metrics: metrics, logger: logger)
    let membership = Membership(
      record, events, configuration, probe: probe, measure: measure, metrics: metrics,
      logger: logger)
    self.events = events
    self.membership = membership
    ends = StreamEnds(membership, redis, configuration, metrics: metrics, logger: logger)
    leases = StreamLeases(
      membership, events, ends, configuration, metrics: metrics, logger: logger)
    directory = StreamDirectory(membership, events, configuration, metrics: metrics)
    invalidations = Invalidations(redis, configuration, metrics: metrics, logger: logger)
    placement = Placement(slowStart: configuration.slowStart)
    homes = WeddingHomes(events, configuration)
    self.redis = redis
    self.logger = logger
  }

  /// Lives in the cluster until the task is cancelled; then call `membership.leave()`, where this
  /// node is to be gone at once and not when its record expires.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.events.run() }
      group.addTask { await self.membership.run() }
      group.addTask { await self.leases.run() }
      group.addTask { await RedisReport.follow(self.redis, self.logger) }
    }
  }

  /// Tells the ends of streams that nobody else can tell any more, until the task is cancelled.
  ///
  /// - Parameter tell: tells one; of several at a time.
  package func tellEnds(_ tell: @escaping StreamEnds.Tell) async {
    await ends.run(holding: { [leases] in Array(leases.held.keys) }, tell)
  }

  /// The origin for a new publisher, and a connection to it that counts until it is let go.
  ///
  /// That where other cameras of its wedding are, as long as it takes streams, though it may be
  /// full.
  ///
  /// - Parameters:
  ///   - stream: of the publisher.
  ///   - excluded: origins that were tried just now.
  /// - Returns: nil where no origin takes it.
  package func place(
    _ stream: StreamID, excluding excluded: Set<NodeID> = []
  ) async -> (node: KnownNode, connection: ConnectionCounts.Connection)? {
    let view = membership.view
    let region = view[view.own]?.record.region ?? ""
    let connection = connections.open(among: view) { counts in
      placement.choose(
        for: stream, among: view, region: region, counts: counts, excluding: excluded)
    }
    guard let connection, let node = view[connection.node] else { return nil }
    guard view.isCoordinated else { return (node, connection) }
    // Also one where something fails: a wedding that is there has its program there.
    let usable = view.origins.filter { $0.isUsable && !excluded.contains($0.id) }.map(\.id)
    let home = await homes.settle(stream, node.id, among: usable)
    guard home != node.id, let other = view[home] else { return (node, connection) }
    connection.close()
    return (other, connections.open(home))
  }

  /// The origin where a wedding's cameras are.
  ///
  /// - Parameter stream: any of the wedding.
  /// - Returns: nil where none is known to be published.
  package func home(of stream: StreamID) async -> NodeID? { await homes.home(of: stream) }

  /// Where viewers' requests for a stream go.
  ///
  /// - Parameter stream: which.
  /// - Returns: its owner, and the node where it is to be reached; while Redis can't be asked and
  ///   nothing is known of the stream, the origin where its publisher would be placed. Nil where
  ///   nobody has it, or its owner is unknown in the view.
  package func locate(_ stream: StreamID) async -> (node: KnownNode, owner: StreamOwner?)? {
    do throws(ClusterError) {
      guard let owner = try await directory.owner(of: stream) else { return nil }
      return membership.view[owner.node].map { ($0, owner) }
    } catch {
      let view = membership.view
      let ranked = Rendezvous.first(
        view.takers().map(\.id), for: stream.wedding)
      return ranked.flatMap { view[$0] }.map { ($0, nil) }
    }
  }
}

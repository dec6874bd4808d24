package import EventLoop

extension Placement {
  /// Chooses an origin for a connection of which nobody knows what stream it will bring.
  ///
  /// As for a stream; but where Redis can't be asked, the counts that there are decide: edges need
  /// not agree on where a connection goes.
  ///
  /// - Parameters:
  ///   - name: decides between equals; better another one for each connection.
  ///   - preferred: taken before all others, in any region, where it is usable and has room; also
  ///     where something fails there: the client's stream may wait for it.
  ///   - view: the nodes.
  ///   - region: where the client is.
  ///   - counts: how many connections each node has: see `ConnectionCounts.estimates`.
  ///   - excluded: those that were tried just now.
  ///   - now: when.
  /// - Returns: nil where no origin takes it.
  package func chooseForConnection(
    named name: StreamID, preferring preferred: NodeID? = nil, among view: ClusterView,
    region: String, counts: [NodeID: Int] = [:], excluding excluded: Set<NodeID> = [],
    at now: MonotonicTime = .now
  ) -> NodeID? {
    var counted = view
    counted.isCoordinated = true
    func best(_ view: ClusterView) -> NodeID? {
      choose(
        for: name, among: view, region: region, counts: counts, excluding: excluded, at: now)
    }
    if let preferred, let node = view[preferred] {
      var alone = counted
      alone.nodes = [preferred: node]
      if let found = best(alone) { return found }
    }
    if let found = best(counted) { return found }
    guard !view.isCoordinated else { return nil }
    // What was full when Redis was last heard of may be empty by now.
    for id in counted.nodes.keys { counted.nodes[id]?.record.load.capacity = .max }
    return best(counted)
  }
}

extension ClusterNode {
  /// The origin for a connection of which nobody knows what stream it will bring, and what counts
  /// it until it is let go.
  ///
  /// - Parameters:
  ///   - name: decides between equals.
  ///   - preferred: taken before all others where it is usable and has room.
  ///   - excluded: origins that were tried just now.
  /// - Returns: nil where no origin takes it.
  package func placeConnection(
    named name: StreamID, preferring preferred: NodeID? = nil,
    excluding excluded: Set<NodeID> = []
  ) -> (node: KnownNode, connection: ConnectionCounts.Connection)? {
    let view = membership.view
    let region = view[view.own]?.record.region ?? ""
    let connection = connections.open(among: view) { counts in
      placement.chooseForConnection(
        named: name, preferring: preferred, among: view, region: region, counts: counts,
        excluding: excluded)
    }
    guard let connection, let node = view[connection.node] else { return nil }
    return (node, connection)
  }
}

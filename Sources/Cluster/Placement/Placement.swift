package import EventLoop

/// On which origin a new stream is to be.
///
/// Pure: the same view and counts give the same node.
package struct Placement: Sendable {
  /// The least that a node with no headroom, or one that has just begun, weighs.
  static let leastWeight = 0.05

  /// For how long after its start a node gets less than its share.
  package let slowStart: Duration

  package init(slowStart: Duration = .seconds(60)) { self.slowStart = slowStart }

  /// Chooses an origin.
  ///
  /// The one with the fewest connections for its weight, which is its headroom, less while it is
  /// younger than `slowStart`; of the same region where one there has room. Draining, unreachable
  /// and full ones are passed over, and one where something fails is taken only where no other is
  /// left. Where Redis can't be asked, loads are not known: the wedding's own rank decides, for
  /// which all edges that know the same origins have the same answer, and by which its cameras
  /// meet.
  ///
  /// - Parameters:
  ///   - stream: what is to be placed; also decides between equals, so that edges which see the
  ///     same don't all choose the same.
  ///   - view: the nodes.
  ///   - region: where its publisher is.
  ///   - counts: how many publishers each node has: see `ConnectionCounts.estimates`.
  ///   - excluded: those that were tried just now.
  ///   - now: when.
  /// - Returns: nil where no origin takes it.
  package func choose(
    for stream: StreamID, among view: ClusterView, region: String, counts: [NodeID: Int] = [:],
    excluding excluded: Set<NodeID> = [], at now: MonotonicTime = .now
  ) -> NodeID? {
    guard view.isCoordinated else {
      return Rendezvous.first(view.takers(excluding: excluded).map(\.id), for: stream.wedding)
    }
    let open = view.takers(excluding: excluded) { count(of: $0, counts) < $0.record.load.capacity }
    let near = open.filter { $0.record.region == region }
    let scored = (near.isEmpty ? open : near).map { node in
      (id: node.id, cost: Double(count(of: node, counts) + 1) / weight(of: node, at: now))
    }
    guard let least = scored.map(\.cost).min() else { return nil }
    // What differs in rounding alone is equal.
    let equals = scored.filter { $0.cost <= least * (1 + 1e-9) }
    return Rendezvous.first(equals.map(\.id), for: stream.description)
  }

  private func count(of node: KnownNode, _ counts: [NodeID: Int]) -> Int {
    max(0, counts[node.id] ?? node.record.load.publishers)
  }

  /// How much of its share a node gets, `leastWeight` to 1.
  func weight(of node: KnownNode, at now: MonotonicTime) -> Double {
    let age = now - node.began
    let begun =
      slowStart > .zero && age < slowStart
      ? max(0, age / .milliseconds(1)) / (slowStart / .milliseconds(1)) : 1
    return max(Self.leastWeight, begun) * max(Self.leastWeight, node.record.load.headroom)
  }
}

/// All nodes as one of them sees them at a time; this one among them.
package struct ClusterView: Equatable, Sendable {
  /// Who sees it.
  package let own: NodeID
  package var nodes: [NodeID: KnownNode]
  /// Those that were lost and are none of them any more, for people: an operator looks later than
  /// that.
  package var lost: [NodeID: KnownNode] = [:]
  /// Whether Redis said so lately; false: these are the last known ones, as checks found them.
  package var isCoordinated: Bool

  package init(own: NodeID, nodes: [NodeID: KnownNode] = [:], isCoordinated: Bool = false) {
    self.own = own
    self.nodes = nodes
    self.isCoordinated = isCoordinated
  }

  package subscript(id: NodeID) -> KnownNode? { nodes[id] }

  /// Those on which streams can be, by id.
  package var origins: [KnownNode] {
    nodes.values.filter { $0.record.role.holdsStreams }.sorted { $0.id < $1.id }
  }

  /// Those that new streams can be on: of those that are well, or where there is none, of the
  /// others.
  ///
  /// - Parameters:
  ///   - excluded: those that were tried just now.
  ///   - hasRoom: whether one takes another stream.
  /// - Returns: by id.
  package func takers(
    excluding excluded: Set<NodeID> = [], where hasRoom: (KnownNode) -> Bool = { _ in true }
  ) -> [KnownNode] {
    let all = origins.filter { $0.isUsable && !excluded.contains($0.id) && hasRoom($0) }
    let well = all.filter { !$0.isAiling }
    return well.isEmpty ? all : well
  }

  /// Whether a node has another `auth.secret` than this one; false where either doesn't say.
  package func hasOtherSecret(_ node: KnownNode) -> Bool {
    guard let mine = nodes[own]?.record.condition.secretMark,
      let other = node.record.condition.secretMark
    else { return false }
    return mine != other
  }

  /// Whether a node is known, and fails our checks or those who use it.
  ///
  /// That its record has expired, or is not known yet, does not count: who refreshes a lease lives.
  package func isGone(_ id: NodeID) -> Bool { nodes[id]?.isDown ?? false }
}

/// Where a stream is to be found.
package struct StreamOwner: Equatable, Sendable {
  package let node: NodeID
  /// The number of this holder; what comes under a smaller one is stale.
  package let epoch: Int64
  /// Whether its holder keeps its lease.
  package let isLive: Bool
  /// Whether its holder has given it up in order; it still has what it listed last.
  package let hasEnded: Bool
  /// How far it has come, as far as is known here.
  package var head: StreamHead?

  package init(
    node: NodeID, epoch: Int64, isLive: Bool, hasEnded: Bool = false,
    head: StreamHead? = nil
  ) {
    self.node = node
    self.epoch = epoch
    self.isLive = isLive
    self.hasEnded = hasEnded
    self.head = head
  }
}

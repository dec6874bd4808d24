/// Rendezvous hashing: all who know the same nodes choose the same one for a key, and a node that
/// goes away moves only the keys that it had.
package enum Rendezvous {
  /// Nodes in the order in which they are to be tried for a key.
  ///
  /// - Parameters:
  ///   - nodes: in any order; each once.
  ///   - key: a stream, an address of a file, a client.
  /// - Returns: all of them, the chosen one first.
  /// - Complexity: O(n log n).
  package static func ranked(_ nodes: some Sequence<NodeID>, for key: String) -> [NodeID] {
    nodes.map { (score: score($0, key), node: $0) }
      .sorted { ($0.score, $1.node) > ($1.score, $0.node) }
      .map(\.node)
  }

  /// The chosen one alone; nil where there are none.
  package static func first(_ nodes: some Sequence<NodeID>, for key: String) -> NodeID? {
    nodes.map { (score: score($0, key), node: $0) }
      .max { ($0.score, $1.node) < ($1.score, $0.node) }?.node
  }

  /// How much a node is wanted for a key; the same on every machine, which Swift's own hashes are
  /// not.
  ///
  /// FNV-1a over both, then MurmurHash3's finalizer, since FNV alone leaves the high bits of short
  /// texts alike.
  static func score(_ node: NodeID, _ key: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    for byte in node.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ (hash >> 33)
  }
}

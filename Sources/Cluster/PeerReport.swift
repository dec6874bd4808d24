import Logging

/// Tells a person which node doesn't answer this one and why, and that records aren't believed:
/// once, however often they are asked.
struct PeerReport {
  /// Those of which it was said.
  private var silent: Set<NodeID> = []
  private var refused = 0
  private var strange: Set<NodeID> = []

  /// What there is to say of a check.
  ///
  /// - Parameters:
  ///   - node: which was asked.
  ///   - cause: why it doesn't answer; nil where it does.
  ///   - isStopping: whether it has said that it will be gone.
  /// - Returns: nil for nothing.
  mutating func line(
    for node: NodeID, _ cause: String?, isStopping: Bool = false
  ) -> (level: Logger.Level, text: String)? {
    guard let cause else {
      return silent.remove(node) == nil ? nil : (.notice, "node \(node) answers")
    }
    guard !silent.contains(node) else { return nil }
    // Nodes that are gone leave nothing behind.
    if silent.count >= 512 { silent = [] }
    silent.insert(node)
    if isStopping { return (.info, "node \(node) has stopped, as it said: \(cause)") }
    return (.warning, "node \(node) doesn't answer this one: \(cause)")
  }

  /// What there is to say of nodes that have another `auth.secret`; nil for nothing.
  mutating func line(forOtherSecrets nodes: Set<NodeID>) -> (level: Logger.Level, text: String)? {
    let news = nodes.subtracting(strange)
    strange = nodes
    guard !news.isEmpty else { return nil }
    let names = news.sorted().map(\.text).joined(separator: ", ")
    return (
      .warning,
      "another auth.secret than this node's: at \(names); tokens of the one are refused by the other"
    )
  }

  /// What there is to say of records whose seal isn't right; nil for nothing.
  mutating func line(forRefused count: Int) -> (level: Logger.Level, text: String)? {
    defer { refused = count }
    guard count > refused else { return nil }
    return (
      .warning,
      """
      \(count) \(count == 1 ? "node" : "nodes") in Redis can't be believed, as the seal isn't right: is \
      cluster.secret the same on all nodes?
      """
    )
  }
}

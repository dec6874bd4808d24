import EventLoop
import Synchronization

/// How many connections this node has to each other, exactly.
///
/// A connection is counted for as long as somebody holds what `open` returned; there is nothing to
/// be forgotten on an error's way out.
package final class ConnectionCounts: Sendable {
  /// One connection that counts, until it is closed or let go.
  package final class Connection: Sendable {
    package let node: NodeID
    private let counts: ConnectionCounts
    private let isOpen = Atomic(true)

    fileprivate init(_ node: NodeID, _ counts: ConnectionCounts) {
      self.node = node
      self.counts = counts
    }

    deinit { close() }

    /// Ends it; a second time changes nothing.
    package func close() {
      if isOpen.exchange(false, ordering: .acquiringAndReleasing) { counts.add(-1, to: node) }
    }
  }

  private struct Count {
    var open = 0
    /// What changed lately, oldest first: what a node's last record can't have in it yet.
    var changes: [(time: MonotonicTime, by: Int)] = []
  }

  /// How long changes are kept: longer than a living node's record is old.
  private static let memory = Duration.seconds(10)
  /// How many of them are kept for one node.
  private static let mostChanges = 4_096

  /// With more nodes than that, those without connections are forgotten.
  private static let mostNodes = 512

  private let counts = Mutex<[NodeID: Count]>([:])

  package init() {}

  /// Counts a connection to a node.
  package func open(_ node: NodeID) -> Connection {
    add(1, to: node)
    return Connection(node, self)
  }

  /// Chooses a node by its number of connections and counts one more to it, in one step, so that
  /// two who choose at once don't see the same numbers.
  ///
  /// - Parameters:
  ///   - view: the nodes.
  ///   - choose: given the estimates; must not use these counts itself.
  /// - Returns: nil where it chooses none.
  package func open(
    among view: ClusterView, _ choose: ([NodeID: Int]) -> NodeID?
  ) -> Connection? {
    let chosen = counts.withLock { counts -> NodeID? in
      guard let node = choose(Self.estimates(view, counts)) else { return nil }
      Self.add(1, to: node, &counts)
      return node
    }
    return chosen.map { Connection($0, self) }
  }

  /// How many are open to a node.
  package subscript(node: NodeID) -> Int { counts.withLock { $0[node]?.open ?? 0 } }

  /// How many are open to each node that has any.
  package var all: [NodeID: Int] { counts.withLock { $0.mapValues(\.open).filter { $1 > 0 } } }

  /// How many publishers each node has by now: what its record says, and what this node has added
  /// since that was written.
  package func estimates(_ view: ClusterView) -> [NodeID: Int] {
    counts.withLock { Self.estimates(view, $0) }
  }

  private static func estimates(_ view: ClusterView, _ counts: [NodeID: Count]) -> [NodeID: Int] {
    view.nodes.mapValues { node in
      guard let count = counts[node.id] else { return node.record.load.publishers }
      let since = count.changes.reduce(0) { $1.time > node.written ? $0 + $1.by : $0 }
      return max(count.open, node.record.load.publishers + since)
    }
  }

  private func add(_ number: Int, to node: NodeID) {
    counts.withLock { Self.add(number, to: node, &$0) }
  }

  private static func add(_ number: Int, to node: NodeID, _ counts: inout [NodeID: Count]) {
    let now = MonotonicTime.now
    var count = counts.removeValue(forKey: node) ?? Count()
    count.open += number
    count.changes.append((now, number))
    if count.changes.count > mostChanges { count.changes.removeFirst(mostChanges / 2) }
    if let first = count.changes.first, now - first.time > memory * 2 {
      count.changes.removeAll { now - $0.time > memory }
    }
    counts[node] = count
    // Nodes that are gone for long leave nothing behind.
    if counts.count > mostNodes {
      counts = counts.filter {
        $1.open != 0 || $1.changes.last.map { now - $0.time < memory } ?? false
      }
    }
  }
}

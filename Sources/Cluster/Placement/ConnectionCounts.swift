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

  private let counts = Mutex<[NodeID: Count]>([:])

  package init() {}

  /// Counts a connection to a node.
  package func open(_ node: NodeID) -> Connection {
    add(1, to: node)
    return Connection(node, self)
  }

  /// How many are open to a node.
  package subscript(node: NodeID) -> Int { counts.withLock { $0[node]?.open ?? 0 } }

  /// How many are open to each node that has any.
  package var all: [NodeID: Int] { counts.withLock { $0.mapValues(\.open).filter { $1 > 0 } } }

  /// How many publishers each node has by now: what its record says, and what this node has added
  /// since that was written.
  package func estimates(_ view: ClusterView) -> [NodeID: Int] {
    counts.withLock { counts in
      view.nodes.mapValues { node in
        guard let count = counts[node.id] else { return node.record.load.publishers }
        let since = count.changes.reduce(0) { $1.time > node.written ? $0 + $1.by : $0 }
        return max(count.open, node.record.load.publishers + since)
      }
    }
  }

  private func add(_ number: Int, to node: NodeID) {
    let now = MonotonicTime.now
    counts.withLock { counts in
      var count = counts.removeValue(forKey: node) ?? Count()
      count.open += number
      count.changes.append((now, number))
      if count.changes.count > Self.mostChanges {
        count.changes.removeFirst(Self.mostChanges / 2)
      }
      if let first = count.changes.first, now - first.time > Self.memory * 2 {
        count.changes.removeAll { now - $0.time > Self.memory }
      }
      // A node that is gone for long leaves nothing behind.
      if count.open != 0 || !count.changes.isEmpty { counts[node] = count }
    }
  }
}

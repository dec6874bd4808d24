import EventLoop
import Synchronization
import Testing

@testable import Cluster

@Suite(.timeLimit(.minutes(2))) struct `Counts of connections` {
  struct Abort: Error {}

  final class Kept: Sendable {
    private let connections = Mutex<[ConnectionCounts.Connection]>([])
    func keep(_ connection: ConnectionCounts.Connection) {
      connections.withLock { $0.append(connection) }
    }
    func letGo() { connections.withLock { $0 = [] } }
  }

  @Test func `after 10,000 connects and aborts they are exact`() async throws {
    let counts = ConnectionCounts()
    let nodes = try (1...4).map { try record("o\($0)").id }
    let kept = Kept()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<10_000 {
        group.addTask {
          let node = nodes[number % 4]
          switch number % 7 {
          case 0:
            // Kept.
            kept.keep(counts.open(node))
          case 1:
            // Closed, twice, and let go.
            let connection = counts.open(node)
            connection.close()
            connection.close()
          case 2:
            // An error on the way.
            try? await { () async throws in
              let connection = counts.open(node)
              await Task.yield()
              if connection.node == node { throw Abort() }
            }()
          case 3:
            // A task that is cancelled while it has one.
            let task = Task {
              let connection = counts.open(node)
              try await Task.sleep(for: .seconds(600))
              connection.close()
            }
            task.cancel()
            _ = await task.result
          case 4:
            // Closed by two at once.
            let connection = counts.open(node)
            async let first: Void = connection.close()
            async let second: Void = connection.close()
            _ = await (first, second)
          default: _ = counts.open(node)
          }
        }
      }
    }
    for (index, node) in nodes.enumerated() {
      let expected = (0..<10_000).filter { $0 % 4 == index && $0 % 7 == 0 }.count
      #expect(counts[node] == expected)
    }
    kept.letGo()
    #expect(counts.all.isEmpty)
  }

  @Test func `200 who choose at the same instant end even`() async throws {
    let counts = ConnectionCounts()
    let now = MonotonicTime.now
    var view = ClusterView(own: try record("edge").id, isCoordinated: true)
    for number in 1...4 {
      var origin = try record("o\(number)")
      origin.state = .ready
      view.nodes[origin.id] = KnownNode(
        record: origin, began: now + .seconds(-600), written: now)
    }
    let open = await withTaskGroup(of: ConnectionCounts.Connection?.self) { [view] group in
      for number in 1...200 {
        group.addTask {
          guard let id = StreamID(wedding: "w\(number)", camera: "main") else { return nil }
          return counts.open(among: view) {
            Placement().choose(for: id, among: view, region: "here", counts: $0)
          }
        }
      }
      return await group.reduce(into: []) { if let connection = $1 { $0.append(connection) } }
    }
    #expect(open.count == 200)
    #expect(counts.all.values.sorted() == [50, 50, 50, 50])
  }

  @Test func `what a record can't have in it yet is added to it`() throws {
    let counts = ConnectionCounts()
    var origin = try record("o")
    origin.load.publishers = 30
    func estimate(written: MonotonicTime) -> Int? {
      let node = KnownNode(record: origin, began: written, written: written)
      let view = ClusterView(own: origin.id, nodes: [origin.id: node])
      return counts.estimates(view)[origin.id]
    }
    let before = MonotonicTime.now
    let open = (1...3).map { _ in counts.open(origin.id) }
    let after = MonotonicTime.now
    #expect(estimate(written: before + .nanoseconds(-1)) == 33)
    #expect(estimate(written: after) == 30)
    // What is open for certain counts, whatever the record says.
    origin.load.publishers = 0
    #expect(estimate(written: after) == 3)
    for connection in open { connection.close() }
    #expect(estimate(written: after) == 0)
  }
}

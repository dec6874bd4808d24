import Cluster
import EventLoop
import Testing

@Suite struct `Placement of connections` {
  private static let now = MonotonicTime(nanoseconds: 10_000_000_000_000)

  private static func node(
    _ name: String, publishers: Int = 0, region: String = "here",
    _ change: (inout KnownNode) -> Void = { _ in }
  ) throws -> KnownNode {
    var record = try record(name, region: region)
    record.state = .ready
    record.load.publishers = publishers
    var node = KnownNode(record: record, began: now + (.zero - .seconds(3_600)), written: now)
    change(&node)
    return node
  }

  private func connect(
    _ nodes: [KnownNode], coordinated: Bool = true, preferring: String? = nil,
    counts: [NodeID: Int] = [:], excluding: Set<NodeID> = []
  ) throws -> String? {
    let view = ClusterView(
      own: try record("edge").id,
      nodes: Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0) }),
      isCoordinated: coordinated)
    return Placement().chooseForConnection(
      named: try stream(), preferring: preferring.flatMap { NodeID($0) }, among: view,
      region: "here", counts: counts, excluding: excluding, at: Self.now)?.text
  }

  @Test(arguments: [true, false])
  func `the fewest connections win, also without Redis`(isCoordinated: Bool) throws {
    let nodes = [try Self.node("a", publishers: 9), try Self.node("b", publishers: 8)]
    #expect(try connect(nodes, coordinated: isCoordinated) == "b")
    #expect(try connect(nodes, coordinated: isCoordinated, counts: [nodes[1].id: 10]) == "a")
    #expect(try connect(nodes, coordinated: isCoordinated, excluding: [nodes[1].id]) == "a")
    let far = try Self.node("far", region: "there")
    #expect(try connect(nodes + [far], coordinated: isCoordinated) == "b")
  }

  @Test func `a full one is passed over, unless that is old news of all`() throws {
    let full = try Self.node("a", publishers: 5) { $0.record.load.capacity = 5 }
    #expect(try connect([full]) == nil)
    #expect(try connect([full], coordinated: false) == "a")
    #expect(try connect([full, Self.node("b", publishers: 90)], coordinated: false) == "b")
  }

  @Test func `who comes back goes where it was, if that takes it`() throws {
    let nodes = [try Self.node("a", publishers: 9, region: "there"), try Self.node("b")]
    #expect(try connect(nodes, preferring: "a") == "a")
    #expect(try connect(nodes, preferring: "gone") == "b")
    #expect(try connect(nodes, preferring: "a", excluding: [nodes[0].id]) == "b")
    let draining = try Self.node("a") { $0.record.state = .draining }
    #expect(try connect([draining, nodes[1]], preferring: "a") == "b")
    let full = try Self.node("a", publishers: 5) { $0.record.load.capacity = 5 }
    #expect(try connect([full, nodes[1]], preferring: "a") == "b")
  }
}

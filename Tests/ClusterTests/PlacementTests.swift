import Cluster
import EventLoop
import Testing

@Suite struct `Placement of streams` {
  private static let now = MonotonicTime(nanoseconds: 10_000_000_000_000)

  private static func node(
    _ name: String, publishers: Int = 0, region: String = "here", age: Duration = .seconds(3_600),
    _ change: (inout KnownNode) -> Void = { _ in }
  ) throws -> KnownNode {
    var record = try record(name, region: region)
    record.state = .ready
    record.load.publishers = publishers
    var node = KnownNode(record: record, began: now + (.zero - age), written: now)
    change(&node)
    return node
  }

  private static func view(_ nodes: [KnownNode], coordinated: Bool = true) throws -> ClusterView {
    ClusterView(
      own: try record("edge").id,
      nodes: Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0) }),
      isCoordinated: coordinated)
  }

  private func choose(
    _ nodes: [KnownNode], coordinated: Bool = true, counts: [NodeID: Int] = [:],
    excluding: Set<NodeID> = []
  ) throws -> String? {
    Placement().choose(
      for: try stream(), among: try Self.view(nodes, coordinated: coordinated), region: "here",
      counts: counts, excluding: excluding, at: Self.now)?.text
  }

  @Test func `the fewest connections for the headroom win`() throws {
    #expect(try choose([Self.node("a", publishers: 9), Self.node("b", publishers: 8)]) == "b")
    let half = try Self.node("b", publishers: 5) { $0.record.load.headroom = 0.5 }
    #expect(try choose([Self.node("a", publishers: 9), half]) == "a")
  }

  @Test func `the same region comes first, while one there has room`() throws {
    let far = try Self.node("far", region: "there")
    #expect(try choose([Self.node("a", publishers: 900), far]) == "a")
    let full = try Self.node("a", publishers: 900) { $0.record.load.capacity = 900 }
    #expect(try choose([full, far]) == "far")
  }

  @Test func `draining, starting, full, unreachable and excluded ones are passed over`() throws {
    let nodes = [
      try Self.node("draining") { $0.record.state = .draining },
      try Self.node("starting") { $0.record.state = .starting },
      try Self.node("down") { $0.isDown = true },
      try Self.node("silent") {
        $0.isSuspect = true
        $0.hasAnswered = false
      },
      try Self.node("full", publishers: 5) { $0.record.load.capacity = 5 },
      try Self.node("tried"),
    ]
    let tried = try record("tried").id
    #expect(try choose(nodes, excluding: [tried]) == nil)
    #expect(try choose(nodes) == "tried")
  }

  @Test func `one where something fails is the last choice, before none`() throws {
    let faulty = try Self.node("faulty") { $0.isAiling = true }
    let far = try Self.node("far", publishers: 900, region: "there")
    #expect(try choose([faulty, far]) == "far")
    #expect(try choose([faulty, far], excluding: [far.id]) == "faulty")
    let full = try Self.node("far", publishers: 900) { $0.record.load.capacity = 900 }
    #expect(try choose([faulty, full]) == "faulty")
    // The same for all edges while Redis is away.
    let nodes = try (1...5).map { number in
      try Self.node("o\(number)") { $0.isAiling = number != 4 }
    }
    #expect(try choose(nodes, coordinated: false) == "o4")
    #expect(try choose([faulty], coordinated: false) == "faulty")
  }

  @Test func `without Redis all edges choose the same, whatever they count`() throws {
    let nodes = try (1...5).map { try Self.node("o\($0)") }
    let chosen = try #require(try choose(nodes, coordinated: false))
    let busy = try record(chosen).id
    #expect(try choose(nodes.reversed(), coordinated: false, counts: [busy: 500]) == chosen)
    #expect(try choose(nodes, coordinated: false, excluding: [busy]) != chosen)
  }

  @Test func `without Redis a wedding's cameras meet`() throws {
    let view = try Self.view((1...5).map { try Self.node("o\($0)") }, coordinated: false)
    for wedding in 1...20 {
      let places = try (1...4).map { camera in
        Placement().choose(
          for: try stream("w\(wedding)/c\(camera)"), among: view, region: "here", at: Self.now)
      }
      #expect(Set(places).count == 1)
    }
  }

  @Test func `200 publishers over 4 origins end even, and a new one fills slowly`() throws {
    let counts = ConnectionCounts()
    var nodes = try (1...4).map { try Self.node("o\($0)") }
    var open: [ConnectionCounts.Connection] = []
    func place(_ number: Int) throws {
      let view = try Self.view(nodes)
      let chosen = try #require(
        Placement().choose(
          for: try stream("w\(number)/main"), among: view, region: "here",
          counts: counts.estimates(view), at: Self.now))
      open.append(counts.open(chosen))
    }
    for number in 1...200 { try place(number) }
    #expect(counts.all.values.allSatisfy { $0 == 50 } && counts.all.count == 4)
    let fresh = try Self.node("o5", age: .seconds(12))
    nodes.append(fresh)
    for number in 201...210 { try place(number) }
    // A fifth of the minute has gone by: it gets a fifth of what the others have.
    #expect(counts[fresh.id] == 10)
    for number in 211...240 { try place(number) }
    #expect((10...12).contains(counts[fresh.id]))
  }
}

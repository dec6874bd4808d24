import BlockingSupport
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Where a wedding's cameras meet` {
  /// Three origins and two edges that see them all.
  private static func nodes(
    _ server: RedisServerProcess
  ) async throws -> (origins: [TestNode], edges: [TestNode]) {
    let origins = try (1...3).map { try TestNode("origin-\($0)", server) }
    let edges = try (1...2).map { try TestNode("edge-\($0)", server, role: .edge) }
    for origin in origins {
      origin.ready()
      for edge in edges { await edge.sees(origin) }
    }
    return (origins, edges)
  }

  private static func camera(_ number: Int, of wedding: String = "w") throws -> StreamID {
    try #require(StreamID(wedding: wedding, camera: "c\(number)"))
  }

  @Test func `cameras that come at once to two edges go to one origin`() async throws {
    let server = try RedisServerProcess()
    let (_, edges) = try await Self.nodes(server)
    for wedding in 1...8 {
      let places = try await withThrowingTaskGroup(of: NodeID?.self) { group in
        for number in 1...6 {
          let stream = try Self.camera(number, of: "w\(wedding)")
          let edge = edges[number % 2]
          group.addTask { await edge.cluster.place(stream)?.node.id }
        }
        return try await group.reduce(into: Set<NodeID?>()) { $0.insert($1) }
      }
      #expect(places.count == 1 && !places.contains(nil), "wedding \(wedding): \(places)")
    }
    // The one that was chosen at first and not taken counts no connection.
    #expect(edges.allSatisfy { $0.cluster.connections.all.isEmpty })
  }

  @Test func `all move together when their origin takes nothing new`() async throws {
    let server = try RedisServerProcess()
    let (_, edges) = try await Self.nodes(server)
    let first = try #require(await edges[0].cluster.place(try Self.camera(1)))
    var places: Set<NodeID> = []
    for number in 1...6 {
      let next = try #require(
        await edges[number % 2].cluster.place(try Self.camera(number), excluding: [first.node.id]))
      places.insert(next.node.id)
    }
    #expect(places.count == 1 && !places.contains(first.node.id))
  }

  @Test func `home is where the first camera is, for as long as one is there`() async throws {
    let server = try RedisServerProcess()
    let (origins, edges) = try await Self.nodes(server)
    let home = try Self.camera(1).homeKey
    #expect(await edges[0].cluster.home(of: try Self.camera(9)) == nil)
    // Published to an origin, and not by way of an edge.
    let lease = try #require(
      try await origins[1].cluster.leases.claim(try Self.camera(1)) { _ in }.lease)
    let other = try #require(
      try await origins[2].cluster.leases.claim(try Self.camera(2)) { _ in }.lease)
    try await wait { try server.ask("get", home) == "origin-2\n" }
    // Who has asked in vain a moment ago is told as well.
    try await wait { await edges[0].cluster.home(of: try Self.camera(9)) == origins[1].id }
    for number in 3...8 {
      let place = await edges[number % 2].cluster.place(try Self.camera(number))
      #expect(place?.node.id == origins[1].id)
    }
    // Refreshes keep it, where it would be gone after a lease's time.
    let life = try #require(Int(try server.ask("pttl", home).dropLast()))
    try await wait { Int(try server.ask("pttl", home).dropLast()).map { $0 > life } ?? false }
    await origins[1].cluster.leases.release(lease)
    _ = try server.ask("del", home)
    // Then it is that of the camera that is left.
    try await wait { try server.ask("get", home) == "origin-3\n" }
    await origins[2].cluster.leases.release(other)
    try await wait { try server.ask("exists", home) == "0\n" }
  }

  @Test func `what is no name there is replaced`() async throws {
    let server = try RedisServerProcess()
    let (_, edges) = try await Self.nodes(server)
    let home = try Self.camera(1).homeKey
    func isHome() async throws -> Bool {
      let place = await edges[0].cluster.place(try Self.camera(1))
      return try place.map { "\($0.node.id.text)\n" } == server.ask("get", home)
    }
    _ = try server.ask("set", home, "no such node")
    #expect(try await isHome())
    _ = try server.ask("del", home)
    _ = try server.ask("hset", home, "a", "b")
    #expect(try await isHome())
  }

  @Test func `a program is taken over by the origin where its cameras meet, and by no other`()
    async throws
  {
    let server = try RedisServerProcess()
    let (origins, edges) = try await Self.nodes(server)
    let program = try #require(StreamID(wedding: "w", camera: "program"))
    let home = try #require(await edges[0].cluster.place(try Self.camera(1))).node.id
    let first = try #require(origins.first { $0.id == home })
    let lost = Signal<LeaseLoss>()
    _ = try await first.cluster.leases.claim(try Self.camera(1)) { _ in }
    let lease = try #require(
      try await first.cluster.leases.claim(program) { lost.send($0) }.lease)
    let head = StreamHead(
      sequence: 41, discontinuity: 3, date: 1_795_939_000_000, camera: "altar",
      shown: ShownSegment(camera: "garden", sequence: 977), began: 1_795_930_000_000)
    try await first.cluster.leases.publish(head, of: lease)
    for other in origins where other.id != home {
      #expect(try await other.cluster.leases.claim(program) { _ in }.lease == nil)
    }
    // Its cameras move.
    let next = try #require(
      await edges[0].cluster.place(try Self.camera(1), excluding: [home])
    ).node.id
    for other in origins where other.id != next {
      #expect(try await other.cluster.leases.claim(program) { _ in }.lease == nil)
    }
    let second = try #require(origins.first { $0.id == next })
    let taken = try #require(try await second.cluster.leases.claim(program) { _ in }.lease)
    #expect(taken.epoch == 2)
    #expect(taken.inherited == head)
    #expect(await lost.next()?.owner == next)
    #expect(!lease.isHeld)
  }

  @Test func `a program's camera is read as older nodes wrote it, whatever stands beside it`()
    async throws
  {
    let server = try RedisServerProcess()
    let (origins, _) = try await Self.nodes(server)
    let program = try #require(StreamID(wedding: "w", camera: "program"))
    for (names, camera, shown) in [
      ("altar", "", "altar"), ("altar", "garden", "altar"), ("", "garden", "garden"),
      ("", "", nil), ("", "../x", nil),
    ] {
      _ = try server.ask("del", program.key, program.leaseKey)
      _ = try server.ask(
        "hset", program.key, "owner", "old", "epoch", "1", "ended", "1", "sequence", "41",
        "discontinuity", "3", "end", "0", "names", names, "camera", camera)
      let lease = try #require(try await origins[0].cluster.leases.claim(program) { _ in }.lease)
      #expect(lease.inherited == StreamHead(sequence: 41, discontinuity: 3, camera: shown))
      await origins[0].cluster.leases.release(lease)
    }
  }

  @Test func `what a program shows is read where it is of its last number, and nothing else`()
    async throws
  {
    let server = try RedisServerProcess()
    let (origins, _) = try await Self.nodes(server)
    let program = try #require(StreamID(wedding: "w", camera: "program"))
    let good = ShownSegment(camera: "altar", sequence: 977)
    for (text, shown) in [
      ("41 altar 977", good),
      // An older node has written the number since.
      ("40 altar 976", nil), ("", nil), ("41", nil), ("41 altar", nil), ("41 altar -1", nil),
      ("41 ../x 977", nil), ("41 altar 9007199254740992", nil), ("41 altar 977 1", nil),
      (String(repeating: "4", count: 9_000), nil),
    ] {
      _ = try server.ask("del", program.key, program.leaseKey)
      _ = try server.ask(
        "hset", program.key, "owner", "old", "epoch", "1", "ended", "1", "sequence", "41",
        "discontinuity", "3", "end", "0", "names", "", "camera", "altar", "shown", text)
      let lease = try #require(try await origins[0].cluster.leases.claim(program) { _ in }.lease)
      #expect(lease.inherited?.shown == shown, "\(text.prefix(20))")
      #expect(lease.inherited?.camera == "altar")
      await origins[0].cluster.leases.release(lease)
    }
  }

  @Test func `a program makes no home`() async throws {
    let server = try RedisServerProcess()
    let (origins, edges) = try await Self.nodes(server)
    let program = try #require(StreamID(wedding: "w", camera: "program"))
    #expect(try await origins[0].cluster.leases.claim(program) { _ in }.lease != nil)
    #expect(await edges[0].cluster.home(of: program) == nil)
  }
}

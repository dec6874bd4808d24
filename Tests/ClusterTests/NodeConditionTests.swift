import BlockingSupport
import EventLoop
import Logging
import Redis
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `What nodes say of how they are` {
  /// Heartbeats come as soon as usual; on a machine that is busy for long no record expires.
  private static var lasting: ClusterConfiguration {
    var configuration = TestNode.quick
    configuration.secret = Array("the cluster's".utf8)
    configuration.missedBeats = 600
    return configuration
  }

  @Test(
    arguments: [
      NodeCondition(), NodeCondition(fault: "The disk = full: no \u{E9}"),
      NodeCondition(fault: "a", remark: "b", secretMark: "0f"), NodeCondition(remark: ""),
    ])
  func `it is read as it was written`(_ condition: NodeCondition) {
    #expect(NodeCondition(text: condition.text) == condition)
  }

  @Test func `what a newer version says besides is passed over`() {
    #expect(NodeCondition(text: "mood=good\nfault=No disk") == NodeCondition(fault: "No disk"))
  }

  @Test(
    arguments: [
      "fault", "fault=a\u{1B}[31m", "fault=a\n", "remark=\u{9B}",
      "fault=" + String(repeating: "x", count: 401),
    ])
  func `what no node would say is nothing`(_ text: String) {
    #expect(NodeCondition(text: text) == nil)
  }

  @Test func `a secret is told from others by those who have the cluster's alone`() throws {
    let (seal, other) = (RecordSeal(Array("one".utf8)), RecordSeal(Array("two".utf8)))
    let mark = try #require(seal.mark(of: [1, 2]))
    #expect(mark.utf8.count == 32)
    #expect(seal.mark(of: [1, 2]) == mark)
    #expect(seal.mark(of: [1, 3]) != mark)
    #expect(other.mark(of: [1, 2]) != mark)
    #expect(RecordSeal(nil).mark(of: [1, 2]) == nil)
  }

  @Test func `a node with another secret is told of once, and who says nothing never`() throws {
    var view = ClusterView(own: try record("own").id)
    let marks: [(String, String?)] = [("own", "a"), ("same", "a"), ("odd", "b"), ("older", nil)]
    for (name, mark) in marks {
      var record = try record(name)
      record.condition.secretMark = mark
      view.nodes[record.id] = KnownNode(record: record, began: .now, written: .now)
    }
    let odd = Set(view.nodes.values.filter { view.hasOtherSecret($0) }.map(\.id))
    #expect(odd.map(\.text) == ["odd"])
    var report = PeerReport()
    let first = report.line(forOtherSecrets: odd)
    let line = try #require(first)
    #expect(line.level == .warning)
    #expect(line.text.contains("auth.secret") && line.text.contains("odd"))
    #expect(report.line(forOtherSecrets: odd) == nil)
    #expect(report.line(forOtherSecrets: []) == nil)
    #expect(report.line(forOtherSecrets: odd) != nil)
  }

  @Test func `what can't be said is left out, within characters never`() throws {
    let long = NodeCondition(fault: "a\r\nb\t" + String(repeating: "\u{E9}", count: 300))
    let said = try #require(long.sayable.fault)
    #expect(said.hasPrefix("a b \u{E9}") && said.utf8.count == 400)
    #expect(NodeCondition(text: long.sayable.text) == long.sayable)
  }

  @Test func `others hear of a fault, choose another one, and hear when it is over`() async throws {
    let server = try RedisServerProcess()
    let configuration = Self.lasting
    let edge = try TestNode("edge", server, configuration: configuration, role: .edge)
    let one = try TestNode("one", server, configuration: configuration)
    let two = try TestNode("two", server, configuration: configuration)
    for node in [one, two] {
      node.ready()
      await edge.sees(node)
    }
    one.cluster.membership.update {
      $0.condition.fault = "No disk\n"
      $0.condition.remark = "It is cold"
    }
    await edge.sees { $0[one.id]?.fault == "No disk " }
    #expect(edge.view[one.id]?.record.condition.remark == "It is cold")
    #expect(edge.metric("wedlive_cluster_nodes{status=\"faulty\"}") == 1)
    var open: [ConnectionCounts.Connection] = []
    for number in 1...8 {
      let placed = try #require(await edge.cluster.place(try stream("w\(number)/main")))
      #expect(placed.node.id == two.id)
      open.append(placed.connection)
    }
    // It is taken where no other is left.
    let last = try #require(await edge.cluster.place(try stream("last/main"), excluding: [two.id]))
    #expect(last.node.id == one.id)
    last.connection.close()
    one.cluster.membership.update { $0.condition = NodeCondition() }
    await edge.sees { $0[one.id]?.status == "usable" }
    let next = try #require(await edge.cluster.place(try stream("next/main")))
    #expect(next.node.id == one.id)
    withExtendedLifetime(open) {}
  }

  @Test func `the record of a node before that is read, and that node reads ours`() async throws {
    let server = try RedisServerProcess()
    let configuration = Self.lasting
    let one = try TestNode("one", server, configuration: configuration)
    let seal = RecordSeal(configuration.secret)
    var older = try record("older")
    older.state = .ready
    var command = RedisCommand("HSET", older.id.key)
    for (name, value) in zip(NodeRecord.names, older.values) { command.append(name, value) }
    command.append(NodeRecord.sealName, seal.seal(older.values, of: older.id.key))
    try await one.redis.send(command)
    try await one.redis.send(RedisCommand("PEXPIRE", older.id.key, 120_000))
    try await one.redis.send(RedisCommand("SADD", "wl:nodes", "older"))
    await one.sees { $0[older.id]?.status == "usable" }
    // What such a node reads of ours: the values that it knows, under the seal that it knows.
    one.cluster.membership.update { $0.condition.fault = "No disk" }
    try await wait {
      try await one.redis.send(RedisCommand("HGET", one.id.key, "condition")).text
        == "fault=No disk"
    }
    var get = RedisCommand("HMGET", one.id.key)
    for name in NodeRecord.names + [NodeRecord.sealName] { get.append(name) }
    let texts = try #require(try await one.redis.send(get).array).compactMap(\.text)
    #expect(seal.fits(try #require(texts.last), Array(texts.dropLast()), of: one.id.key))
  }

  @Test func `a condition that isn't sealed with its record is refused`() async throws {
    let server = try RedisServerProcess()
    let configuration = Self.lasting
    let one = try TestNode("one", server, configuration: configuration)
    let registry = NodeRegistry(
      client: one.redis, seal: RecordSeal(configuration.secret), limits: configuration)
    var two = try record("two")
    two.condition.fault = "No disk"
    _ = try await registry.write(two, deadline: configuration.deadline)
    func read() async throws -> NodeTable.Reading? {
      try await registry.read([two.id], deadline: configuration.deadline).readings[two.id]
    }
    guard case .record(let found, _) = try await read() else {
      return #expect(Bool(false), "it isn't read as it was written")
    }
    #expect(found.condition == two.condition)
    let key = two.id.key
    let seal = try #require(
      try await one.redis.send(RedisCommand("HGET", key, "condition_seal")).text)
    try await one.redis.send(RedisCommand("HSET", key, "condition", "fault=None"))
    #expect(try await read() == .malformed)
    // Another heartbeat's, put beside this one.
    two.beat = 1
    two.condition = NodeCondition()
    _ = try await registry.write(two, deadline: configuration.deadline)
    try await one.redis.send(
      RedisCommand("HSET", key, "condition", "fault=No disk", "condition_seal", seal))
    #expect(try await read() == .malformed)
  }
}

import BlockingSupport
import Redis
import RedisSupport
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Records that no node wrote` {
  private static func valid() throws -> [String] {
    var record = try record("a")
    record.load.headroom = 0.25
    record.addresses.https = "[::1]:443"
    return record.values
  }

  @Test func `a record is read as it was written`() throws {
    var record = try record("a", role: .edge, region: "eu-1")
    record.state = .draining
    record.load.cpu = 0.125
    record.load.bitrateOut = 40_000_000_000
    record.uptime = .milliseconds(12_345)
    record.beat = 77
    record.addresses.rtmps = "edge-1.example.com:1936"
    #expect(NodeRecord(values: record.values, of: record.id) == record)
  }

  @Test(arguments: [
    (0, "b"), (0, ""), (1, "king"), (2, "a b"), (2, ""), (3, "host"), (3, "host:0"),
    (3, "host:70000"), (3, "user@host:1"), (3, "host/path:1"), (3, "host:1\r\nX: y:1"), (3, ""),
    (4, "rtmp://host:1"), (7, "[::1:1"), (8, "a\nb"), (9, "asleep"), (10, "nan"), (10, "1.5"),
    (10, "-0.1"), (11, "-1"), (12, "1000001"), (12, "x"), (13, "-1"), (16, "inf"), (16, "2"),
    (17, "99999999999999999999"), (18, ""), (18, "a:b"), (20, "-1"), (20, "9223372036854775807"),
    (21, "-1"), (21, "1e3"),
  ])
  func `a value that no node has makes it none`(_ change: (field: Int, value: String)) throws {
    var values = try Self.valid()
    let id = try record("a").id
    #expect(NodeRecord(values: values, of: id) != nil)
    values[change.field] = change.value
    #expect(NodeRecord(values: values, of: id) == nil)
  }

  @Test func `a record that lacks or has more values is none, and one too long`() throws {
    let id = try record("a").id
    let values = try Self.valid()
    #expect(NodeRecord(values: Array(values.dropLast()), of: id) == nil)
    #expect(NodeRecord(values: values + ["x"], of: id) == nil)
    for field in values.indices {
      var long = values
      long[field] = String(repeating: "1", count: 513)
      #expect(NodeRecord(values: long, of: id) == nil)
    }
  }

  @Test func `a seal fits its record under its key, and nothing else`() throws {
    let seal = RecordSeal(Array("secret".utf8))
    let values = try Self.valid()
    let text = seal.seal(values, of: "k")
    #expect(text.utf8.count == 64)
    #expect(seal.fits(text, values, of: "k"))
    #expect(!seal.fits(text, values, of: "l"))
    for index in values.indices {
      var other = values
      other[index] += "0"
      #expect(!seal.fits(text, other, of: "k"))
    }
    // What moves from one value to the next is another record.
    var moved = values
    moved[1] = "e"
    moved[2] = "dge" + moved[2]
    #expect(!seal.fits(text, moved, of: "k"))
    for wrong in [
      "", String(text.dropLast()), text + "0", text.uppercased() + "G",
      String(repeating: "z", count: 64),
    ] {
      #expect(!seal.fits(wrong, values, of: "k"))
    }
    #expect(!RecordSeal(Array("Secret".utf8)).fits(text, values, of: "k"))
    #expect(RecordSeal(nil).fits("", values, of: "k"))
  }

  @Test func `a forged node is not seen, nor one that never expires or is too large`() async throws
  {
    let server = try RedisServerProcess()
    var configuration = TestNode.quick
    configuration.secret = Array("the cluster's".utf8)
    let one = try TestNode("one", server, configuration: configuration)
    let two = try TestNode("two", server, configuration: configuration)
    two.ready()
    await one.sees(two)
    let ghost = try record("ghost")
    func forge(_ key: String, _ name: String, seal: String, expires: Bool = true) async throws {
      var command = RedisCommand("HSET", key)
      for (name, value) in zip(NodeRecord.names, ghost.values) { command.append(name, value) }
      command.append("seal", seal)
      try await one.redis.send(command)
      if expires { try await one.redis.send(RedisCommand("PEXPIRE", key, 1_000)) }
      try await one.redis.send(RedisCommand("SADD", "wl:nodes", name))
    }
    let seal = RecordSeal(configuration.secret)
    // Sealed by another, and not at all.
    try await forge(
      ghost.id.key, "ghost", seal: RecordSeal([1]).seal(ghost.values, of: ghost.id.key))
    let refused = "wedlive_cluster_refused_records_total"
    try await wait { one.metric("\(refused){kind=\"seal\"}") > 0 }
    // Sealed rightly, but for ever: no node writes that.
    try await one.redis.send(RedisCommand("DEL", ghost.id.key))
    try await forge(
      ghost.id.key, "ghost", seal: seal.seal(ghost.values, of: ghost.id.key), expires: false)
    try await wait { one.metric("\(refused){kind=\"node\"}") > 0 }
    // The genuine one under another's key.
    try await forge("wl:node:{thief}", "thief", seal: seal.seal(ghost.values, of: ghost.id.key))
    // Other types, sizes and names.
    let large = String(repeating: "x", count: 1 << 20)
    _ = try await one.redis.pipeline([
      RedisCommand("SET", "wl:node:{text}", large), RedisCommand("SADD", "wl:nodes", "text"),
      RedisCommand("HSET", "wl:node:{big}", "id", large), RedisCommand("SADD", "wl:nodes", "big"),
      RedisCommand("PEXPIRE", "wl:node:{big}", 1_000),
      RedisCommand("SADD", "wl:nodes", "../../etc", "", large),
    ])
    let malformed = one.metric("\(refused){kind=\"node\"}")
    try await wait { one.metric("\(refused){kind=\"node\"}") > malformed + 6 }
    #expect(one.view.nodes.keys.sorted() == [one.id, two.id])
    #expect(one.view[two.id]?.isUsable == true)
  }

  @Test func `who overwrites a node's record is overwritten, and it is told`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    two.ready()
    await one.sees(two)
    try await one.redis.send(RedisCommand("HSET", two.id.key, "incarnation", "other"))
    try await wait { two.metric("wedlive_cluster_conflicts_total") > 0 }
    try await one.redis.send(RedisCommand("SET", two.id.key, "text"))
    try await wait {
      try await one.redis.send(RedisCommand("TYPE", two.id.key)).text == "hash"
    }
    await one.sees(two)
  }

  @Test func `forged streams are no streams, and claims put them right`() async throws {
    let server = try RedisServerProcess()
    let one = try TestNode("one", server)
    let id = try stream()
    let forgeries: [[String]] = [
      ["HSET", id.key, "owner", "../x", "epoch", "1"],
      ["HSET", id.key, "owner", "one", "epoch", "0"],
      ["HSET", id.key, "owner", "one", "epoch", "1e40"], ["HSET", id.key, "owner", "one"],
      ["HSET", id.key, "owner", "one", "epoch", "9007199254740993"], ["SET", id.key, "x"],
      ["HSET", id.key, "owner", "one", "epoch", "nan"], ["RPUSH", id.key, "x"],
      ["HSET", id.key, "owner", "one", "epoch", "2", "sequence", "-1", "names", "a"],
      [
        "HSET", id.key, "owner", "one", "epoch", "2", "sequence", "1", "names",
        String(repeating: "x", count: 1 << 20),
      ],
    ]
    for words in forgeries {
      var forgery = RedisCommand(words[0])
      forgery.append(contentsOf: words.dropFirst())
      try await one.redis.send(RedisCommand("DEL", id.key, id.leaseKey))
      try await one.redis.send(forgery)
      await #expect(throws: ClusterError.malformed(id.key)) {
        try await one.cluster.directory.owner(of: id)
      }
      let lease = try #require(try await one.cluster.leases.claim(id) { _ in }.lease)
      #expect((1...3).contains(lease.epoch) && lease.inherited == nil)
      await one.cluster.leases.release(lease)
    }
    // A lease for ever, of a node that nobody knows.
    try await one.redis.send(RedisCommand("HSET", id.key, "owner", "ghost", "epoch", "7"))
    try await one.redis.send(RedisCommand("SET", id.leaseKey, "7"))
    var lease: Lease?
    while lease == nil { lease = try await one.cluster.leases.claim(id) { _ in }.lease }
    #expect(lease?.epoch == 8)
  }

  @Test func `forged events and spoiled streams of events harm nobody`() async throws {
    let server = try RedisServerProcess()
    let (one, two) = (try TestNode("one", server), try TestNode("two", server))
    two.ready()
    await one.sees(two)
    for fields in [
      ["kind", "left", "node", "two"], ["kind", "node", "node", "no one"], ["x", "y"],
      ["kind", "stream", "stream", "a/b/c", "node", "two", "epoch", "1"],
      ["kind", "stream", "stream", "a/b", "node", "two", "epoch", "-1"],
      ["kind", "head", "stream", "a/b", "epoch", "1", "sequence", "99999999999999999999"],
    ] {
      var command = RedisCommand("XADD", "wl:events", "*")
      command.append(contentsOf: fields)
      try await one.redis.send(command)
    }
    try await wait {
      one.metric("wedlive_cluster_refused_records_total{kind=\"event\"}") == 5
    }
    #expect(one.view[two.id]?.isUsable == true)
    // Events go on once the key is a stream again.
    try await one.redis.send(RedisCommand("SET", "wl:events", "text"))
    two.cluster.membership.update { $0.state = .draining }
    await one.sees { $0[two.id]?.record.state == .draining }
    try await one.redis.send(RedisCommand("DEL", "wl:events"))
    let seen = one.metric("wedlive_cluster_events_total")
    two.cluster.membership.update { $0.state = .ready }
    try await wait { one.metric("wedlive_cluster_events_total") > seen }
  }
}

package import Cluster
package import Redis
package import Store

/// Which node keeps which recording, and what the API shows of each: for all nodes of a cluster.
///
/// `wl:recordings:{wedding}` is a hash of a wedding's recordings, `wl:recording:id` the wedding of
/// one, and `wl:recorded:node` a hash of all that a node has told: recordings and their weddings.
/// The last one is written first and taken away last, so that nothing is left behind by a node that
/// dies between them. What a node says is sealed with the cluster's secret; nothing here is the
/// recording.
package struct RedisRecordings: Sendable {
  /// The largest value that is written or read, in bytes.
  package static let mostBytes = 8 << 10
  /// How long an entry is believed that its node doesn't write anew, in milliseconds.
  package static let life: Int64 = 31 * 86_400_000

  private let server: RecordServer
  private let seal: RecordSeal

  /// Keeps entries in a server.
  ///
  /// - Parameters:
  ///   - client: outlives this.
  ///   - seal: of the cluster.
  ///   - deadline: how long one flight of commands may take.
  package init(_ client: RedisClient, seal: RecordSeal, deadline: Duration = .seconds(2)) {
    server = RecordServer(client: client, deadline: deadline)
    self.seal = seal
  }

  /// For who tells a person that this fails.
  var trouble: RedisTrouble { RedisTrouble(server.client) }

  private static func index(_ wedding: String) -> String { "wl:recordings:{\(wedding)}" }
  private static func place(_ id: String) -> String { "wl:recording:\(id)" }
  private static func told(_ node: String) -> String { "wl:recorded:\(node)" }

  /// Takes an entry away where it is the node's own.
  ///
  /// Arguments: recording, node. Answers 1 where nobody has such an entry then.
  private static let forget = RedisScript(
    """
    local value = redis.call('HGET', KEYS[1], ARGV[1])
    if value and string.match(value, '^%x* (%S+) ') ~= ARGV[2] then return 0 end
    redis.call('HDEL', KEYS[1], ARGV[1])
    return 1
    """)

  // MARK: Reading

  /// In which life Redis' data is.
  package func era() async throws(StoreError) -> String {
    try RecordEra.decode(try await server.all(RecordEra.commands()))
  }

  /// What nodes say of a wedding's recordings, in no order, and in which life of Redis' data.
  ///
  /// - Parameters:
  ///   - wedding: whose.
  ///   - now: milliseconds since 1970; what is older than it may be is left out.
  /// - Returns: both.
  /// - Throws: why it can't be read.
  package func entries(
    ofWedding wedding: String, now: Int64
  ) async throws(StoreError) -> (entries: [RecordingEntry], era: String) {
    let replies = try await server.atOnce(
      RecordEra.commands() + [RedisCommand("HGETALL", Self.index(wedding))])
    let era = try RecordEra.decode(replies)
    guard let fields = replies.last?.fields else {
      throw .damaged("\(Self.index(wedding)) in Redis is no hash of ours")
    }
    let entries = fields.compactMap { id, value in decode(value, id, wedding) }
    return (entries.filter { $0.until > now }, era)
  }

  /// What its node says of one recording.
  ///
  /// - Parameters:
  ///   - id: of the recording.
  ///   - wedding: whose it is; nil where that isn't known.
  ///   - now: milliseconds since 1970.
  /// - Returns: nil where nobody says anything.
  /// - Throws: why it can't be read.
  package func entry(
    _ id: String, ofWedding wedding: String?, now: Int64
  ) async throws(StoreError) -> RecordingEntry? {
    var name = wedding
    if name == nil { name = try await server.send(RedisCommand("GET", Self.place(id))).text }
    guard let name else { return nil }
    let value = try await server.send(RedisCommand("HGET", Self.index(name), id))
    return decode(value, id, name).flatMap { $0.until > now ? $0 : nil }
  }

  /// What a node has told, and perhaps lost since: recordings and their weddings.
  package func told(by node: String) async throws(StoreError) -> [String: String] {
    let reply = try await server.send(RedisCommand("HGETALL", Self.told(node)))
    guard let fields = reply.fields else {
      throw .damaged("\(Self.told(node)) in Redis is no hash of ours")
    }
    return fields.compactMapValues(\.text)
  }

  // MARK: Writing

  /// Tells of recordings, in place of what was told of them before.
  ///
  /// - Throws: why; some of them may be told of then.
  package func put(_ entries: [RecordingEntry]) async throws(StoreError) {
    var commands: [RedisCommand] = []
    for entry in entries {
      let (index, told) = (Self.index(entry.wedding), Self.told(entry.node))
      commands += [
        RedisCommand("HSET", told, entry.id, entry.wedding),
        RedisCommand("PEXPIRE", told, Self.life),
        RedisCommand("HSET", index, entry.id, encode(entry)),
        RedisCommand("PEXPIRE", index, Self.life),
        RedisCommand("SET", Self.place(entry.id), entry.wedding, "PX", Self.life),
      ]
    }
    try await server.all(commands)
  }

  /// Tells no more of recordings, unless another node does.
  ///
  /// - Parameters:
  ///   - recordings: and their weddings.
  ///   - node: that has told of them.
  /// - Throws: why; some of them may be told of no more then.
  package func remove(
    _ recordings: [String: String], of node: String
  ) async throws(StoreError) {
    for (id, wedding) in recordings {
      let reply = try await server.run(Self.forget, on: [Self.index(wedding)], [id, node])
      var commands: [RedisCommand] = []
      if reply.integer == 1 { commands.append(RedisCommand("DEL", Self.place(id))) }
      commands.append(RedisCommand("HDEL", Self.told(node), id))
      try await server.all(commands)
    }
  }

  // MARK: Values

  private func encode(_ entry: RecordingEntry) -> String {
    "\(seal.seal(Self.sealed(entry), of: Self.index(entry.wedding))) \(entry.node) \(entry.until) "
      + entry.document
  }

  /// Reads a value; nil for one that no node of ours has written.
  private func decode(_ value: RedisValue, _ id: String, _ wedding: String) -> RecordingEntry? {
    guard let text = value.text, text.utf8.count <= Self.mostBytes else { return nil }
    let parts = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let until = Int64(parts[2]) else { return nil }
    let entry = RecordingEntry(
      id: id, wedding: wedding, node: String(parts[1]), until: until,
      document: String(parts[3]))
    return seal.fits(String(parts[0]), Self.sealed(entry), of: Self.index(wedding)) ? entry : nil
  }

  private static func sealed(_ entry: RecordingEntry) -> [String] {
    [entry.id, entry.node, "\(entry.until)", entry.document]
  }
}

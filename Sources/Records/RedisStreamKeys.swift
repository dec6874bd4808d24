import Cluster
package import Redis
package import Store

/// `StreamKeyStore` in Redis: every node of the cluster can give a key out.
///
/// `wl:key:id` is a key's record, `wl:keys:{wedding}` the ids of a wedding's keys in the order of
/// their addition, and `wl:keys` all ids by when nobody needs them any more. The record is written
/// first: an index that lacks it is mended by the next attempt, and one that names what is gone is
/// passed over.
package struct RedisStreamKeys: StreamKeyStore {
  /// How much longer than anybody needs it Redis keeps a record that no node forgets.
  private static let margin: Int64 = 2 * 86_400_000
  /// How long an index of a wedding outlives the last key that was added, in milliseconds.
  private static let indexLife: Int64 = 31 * 86_400_000
  private static let ends = "wl:keys"
  private static let batch = 500

  private let server: RecordServer

  /// Keeps keys in a server.
  ///
  /// - Parameters:
  ///   - client: outlives this.
  ///   - deadline: how long one flight of commands may take.
  package init(_ client: RedisClient, deadline: Duration = .seconds(2)) {
    server = RecordServer(client: client, deadline: deadline)
  }

  /// For who tells a person that this fails.
  var trouble: RedisTrouble { RedisTrouble(server.client) }

  private static func record(_ id: String) -> String { "wl:key:\(id)" }
  private static func index(_ wedding: String) -> String { "wl:keys:{\(wedding)}" }

  /// Adds a key.
  ///
  /// Arguments: wedding, camera, sealed, created, until, how long to keep it. Answers 1, or 0 where
  /// another key has the name.
  private static let add = RedisScript(
    """
    if redis.call('EXISTS', KEYS[1]) == 1 then
      local there = redis.call('HMGET', KEYS[1], 'wedding', 'camera', 'sealed')
      for index = 1, 3 do if there[index] ~= ARGV[index] then return 0 end end
      return 1
    end
    redis.call(
      'HSET', KEYS[1], 'wedding', ARGV[1], 'camera', ARGV[2], 'sealed', ARGV[3],
      'created', ARGV[4], 'until', ARGV[5])
    redis.call('PEXPIRE', KEYS[1], ARGV[6])
    return 1
    """)

  /// Says until when a key is needed.
  ///
  /// Arguments: until, the margin. Answers whether there is such a key.
  private static let retire = RedisScript(
    """
    if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    redis.call('HSET', KEYS[1], 'until', ARGV[1])
    local created = tonumber(redis.call('HGET', KEYS[1], 'created')) or 0
    local life = math.max(0, tonumber(ARGV[1]) - created) + tonumber(ARGV[2])
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life))
    return 1
    """)

  /// Forgets a key that nobody needs.
  ///
  /// Argument: the time. Answers the wedding of a key that it has deleted; until when a key is
  /// needed that it has not; nothing where there is none.
  private static let forget = RedisScript(
    """
    local there = redis.call('HMGET', KEYS[1], 'wedding', 'until')
    if not there[1] then return false end
    local last = tonumber(there[2]) or 0
    if last >= tonumber(ARGV[1]) then return {0, there[2]} end
    redis.call('DEL', KEYS[1])
    return {1, there[1]}
    """)

  package func add(_ key: StreamKeyRecord) async throws(StoreError) {
    let life = max(0, key.neededUntil - key.created) + Self.margin
    let reply = try await server.run(
      Self.add, on: [Self.record(key.id)],
      [
        key.stream.wedding, key.stream.camera, key.sealed, key.created, key.neededUntil, life,
      ])
    guard reply.integer == 1 else { throw .failed("there is a key \(key.id) already") }
    let index = Self.index(key.stream.wedding)
    try await server.run(RecordIndex.enter, on: [index], [key.id])
    try await server.all([
      RedisCommand("PEXPIRE", index, Self.indexLife),
      RedisCommand("ZADD", Self.ends, "NX", key.neededUntil, key.id),
    ])
  }

  package func key(_ id: String) async throws(StoreError) -> StreamKeyRecord? {
    Self.decode(try await server.send(RedisCommand("HGETALL", Self.record(id))), id)
  }

  package func keys(ofWedding wedding: String) async throws(StoreError) -> [StreamKeyRecord] {
    let index = Self.index(wedding)
    let reply = try await server.send(RedisCommand("ZRANGE", index, 0, -1))
    let ids = (reply.array ?? []).compactMap(\.text)
    let replies = try await server.all(ids.map { RedisCommand("HGETALL", Self.record($0)) })
    var gone = RedisCommand("ZREM", index)
    var keys: [StreamKeyRecord] = []
    for (id, reply) in zip(ids, replies) {
      if let key = Self.decode(reply, id) {
        if key.stream.wedding == wedding { keys.append(key) }
      } else {
        gone.append(id)
      }
    }
    if keys.count < ids.count, gone.words.count > 2 { try await server.send(gone) }
    return keys.sorted { $0.created < $1.created }
  }

  package func retire(_ id: String, neededUntil time: Int64) async throws(StoreError) {
    let reply = try await server.run(Self.retire, on: [Self.record(id)], [time, Self.margin])
    if reply.integer == 1 { try await server.send(RedisCommand("ZADD", Self.ends, time, id)) }
  }

  package func forgetKeys(now: Int64) async throws(StoreError) -> Int {
    var count = 0
    while true {
      let reply = try await server.send(
        RedisCommand("ZRANGEBYSCORE", Self.ends, "-inf", "(\(now)", "LIMIT", 0, Self.batch))
      let ids = (reply.array ?? []).compactMap(\.text)
      for id in ids where try await forget(id, now) { count += 1 }
      if ids.count < Self.batch { return count }
    }
  }

  /// Forgets one key where nobody needs it; what the index says of it is right then.
  private func forget(_ id: String, _ now: Int64) async throws(StoreError) -> Bool {
    let reply = try await server.run(Self.forget, on: [Self.record(id)], [now])
    if let parts = reply.array, parts.count == 2, let words = parts[1].text {
      if parts[0].integer == 0, let time = Int64(words) {
        try await server.send(RedisCommand("ZADD", Self.ends, time, id))
        return false
      }
      try await server.all([
        RedisCommand("ZREM", Self.ends, id), RedisCommand("ZREM", Self.index(words), id),
      ])
      return true
    }
    try await server.send(RedisCommand("ZREM", Self.ends, id))
    return false
  }

  private static func decode(_ reply: RedisValue, _ id: String) -> StreamKeyRecord? {
    guard let fields = reply.fields, let wedding = fields["wedding"]?.text,
      let camera = fields["camera"]?.text, let sealed = fields["sealed"]?.bytes,
      let created = fields["created"]?.integer, let until = fields["until"]?.integer
    else { return nil }
    return StreamKeyRecord(
      id: id, stream: StreamNumbers.Name(wedding: wedding, camera: camera), sealed: sealed,
      created: created, neededUntil: until)
  }
}

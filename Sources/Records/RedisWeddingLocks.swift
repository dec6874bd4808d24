package import Redis
package import Store

/// `WeddingLockStore` in Redis: `wl:{locks}`, a hash of all weddings that are locked.
///
/// `wl:{locks}:opened` has those that were unlocked within a day: a node that knows them as locked,
/// from before Redis has lost its data, locks them no more.
package struct RedisWeddingLocks: WeddingLockStore {
  private static let keys = ["wl:{locks}", "wl:{locks}:opened"]
  /// How long it is remembered that weddings were unlocked, in milliseconds.
  private static let memory = 86_400_000

  private let server: RecordServer

  /// Keeps locks in a server.
  ///
  /// - Parameters:
  ///   - client: outlives this.
  ///   - deadline: how long one command may take.
  package init(_ client: RedisClient, deadline: Duration = .seconds(2)) {
    server = RecordServer(client: client, deadline: deadline)
  }

  package func lock(_ wedding: String, since time: Int64) async throws(StoreError) {
    try await server.run(Self.lock, on: Self.keys, [wedding, time])
  }

  package func unlock(_ wedding: String) async throws(StoreError) {
    try await server.run(Self.unlock, on: Self.keys, [wedding, Self.memory])
  }

  /// Locks what Redis has lost, unless it was unlocked since.
  ///
  /// - Returns: whether it is locked now.
  /// - Throws: why nothing could be stored.
  func restore(_ wedding: String, since time: Int64) async throws(StoreError) -> Bool {
    try await server.run(Self.restore, on: Self.keys, [wedding, time]).integer == 1
  }

  private static let lock = RedisScript(
    """
    redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
    redis.call('HDEL', KEYS[2], ARGV[1])
    return 1
    """)

  private static let unlock = RedisScript(
    """
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('HSET', KEYS[2], ARGV[1], '1')
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    return 1
    """)

  private static let restore = RedisScript(
    """
    if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
    redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
    return 1
    """)

  package func locked() async throws(StoreError) -> [String: Int64] {
    try Self.decode(try await server.send(RedisCommand("HGETALL", Self.keys[0])))
  }

  /// All that are locked, and in which life of Redis' data that is so.
  func lockedNow() async throws(StoreError) -> (weddings: [String: Int64], era: String) {
    let replies = try await server.atOnce(
      RecordEra.commands() + [RedisCommand("HGETALL", Self.keys[0])])
    return (try Self.decode(replies.last ?? .null), try RecordEra.decode(replies))
  }

  private static func decode(_ reply: RedisValue) throws(StoreError) -> [String: Int64] {
    guard let fields = reply.fields else {
      throw .damaged("\(keys[0]) in Redis is no hash of ours")
    }
    // What nobody of ours has written is locked all the same: that does the least harm.
    return fields.mapValues { $0.integer ?? 0 }
  }
}

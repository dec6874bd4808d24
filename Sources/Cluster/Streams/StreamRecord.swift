import Redis

/// What stands in Redis for a stream: who holds it, under which number, and how far it has come.
struct StreamRecord: Equatable, Sendable {
  var owner: NodeID
  /// Grows by one with each new holder.
  var epoch: Int64
  /// Whether its holder keeps its lease; else it has ended, or its holder has gone silent.
  var isHeld: Bool
  /// Whether its holder has given it up in order.
  var hasEnded: Bool
  var head: StreamHead?

  /// Reads a record whole, where each of its values is of a length that it may have.
  ///
  /// Answers nothing for no record, 1 for something else, or the values and how long the lease has
  /// to live, in milliseconds.
  static let read = RedisScript(
    """
    local kind = redis.call('TYPE', KEYS[1]).ok
    if kind == 'none' then return false end
    if kind ~= 'hash' then return 1 end
    local names = {'owner', 'epoch', 'ended', 'sequence', 'discontinuity', 'end', 'names'}
    local values = {}
    for index, name in ipairs(names) do
      local longest = 64
      if name == 'names' then longest = tonumber(ARGV[1]) end
      if redis.call('HSTRLEN', KEYS[1], name) > longest then return 1 end
      values[index] = redis.call('HGET', KEYS[1], name) or ''
    end
    values[#values + 1] = tostring(redis.call('PTTL', KEYS[2]))
    return values
    """)

  /// Looks a stream up.
  ///
  /// - Returns: nil where there is no record.
  /// - Throws: `.malformed` where there is something else.
  static func of(
    _ stream: StreamID, _ client: RedisClient, _ limits: ClusterConfiguration
  ) async throws(ClusterError) -> StreamRecord? {
    let reply: RedisValue
    do throws(RedisError) {
      reply = try await client.run(
        read, keys: [stream.key, stream.leaseKey], arguments: [StreamHead.longestNames],
        deadline: limits.deadline)
    } catch {
      throw .unavailable(error)
    }
    if reply.isNull { return nil }
    let values = (reply.array ?? []).compactMap(\.text)
    guard let record = StreamRecord(values, limits) else { throw .malformed(stream.key) }
    return record
  }

  /// Reads what the script answers.
  init?(_ values: [String], _ limits: ClusterConfiguration) {
    guard values.count == 8, let owner = NodeID(values[0]), let epoch = Int64(values[1]),
      Epoch.isValid(epoch), let left = Int64(values[7])
    else { return nil }
    self.owner = owner
    self.epoch = epoch
    hasEnded = values[2] == "1"
    // A lease without an end, or of hours, is none of ours.
    isHeld = (1...2 * Int64(limits.lease / .milliseconds(1))).contains(left) && !hasEnded
    if values[3].isEmpty { return }
    guard let head = StreamHead(values: Array(values[3...6])) else { return nil }
    self.head = head
  }
}

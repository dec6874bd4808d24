import Bytes
import Redis

/// The records of nodes in Redis: each in a hash of its own, and a set of their names, `wl:nodes`.
struct NodeRegistry: Sendable {
  static let index = "wl:nodes"
  /// A random value that is there from the first heartbeat on for as long as Redis keeps its data:
  /// with another one, or none, that a record is missing says nothing.
  static let era = "wl:era"
  /// What is read of each record.
  private static let fields =
    NodeRecord.names + [
      NodeRecord.sealName, NodeRecord.conditionName, NodeRecord.conditionSealName,
    ]
  /// How many records are read with one command.
  private static let batch = 64

  let client: RedisClient
  let seal: RecordSeal
  let limits: ClusterConfiguration

  /// What one reading brings.
  struct Answer: Sendable {
    var readings: [NodeID: NodeTable.Reading] = [:]
    /// What stood under `wl:era` when they were read; nil: nothing, or not the same throughout.
    var era: [UInt8]?
    /// How many records had no right seal, or weren't records.
    var unsealed = 0
    var malformed = 0
  }

  /// Reads the fields named by ARGV of each key, where it is a hash that expires and none of them
  /// is too long: what others wrote there can't be larger than a node's record.
  private static let read = RedisScript(
    """
    local answers = {}
    if redis.call('TYPE', KEYS[#KEYS]).ok == 'string' then
      answers[#KEYS] = redis.call('GETRANGE', KEYS[#KEYS], 0, 63)
    else
      answers[#KEYS] = ''
    end
    for index = 1, #KEYS - 1 do
      local key = KEYS[index]
      local kind = redis.call('TYPE', key).ok
      local left = redis.call('PTTL', key)
      if kind == 'none' then
        answers[index] = 0
      elseif kind ~= 'hash' or left < 0 or left > tonumber(ARGV[2]) then
        answers[index] = 1
      else
        local values = {left}
        for field = 3, #ARGV do
          if redis.call('HSTRLEN', key, ARGV[field]) > tonumber(ARGV[1]) then
            values = 1
            break
          end
          values[field - 1] = redis.call('HGET', key, ARGV[field]) or ''
        end
        answers[index] = values
      end
    end
    return answers
    """)

  /// Takes a name out of the set, where it has no record.
  private static let forget = RedisScript(
    """
    if redis.call('EXISTS', KEYS[1]) == 0 then return redis.call('SREM', KEYS[2], ARGV[1]) end
    return 0
    """)

  /// Writes a record.
  ///
  /// - Returns: the incarnation that stood there before; nil where none did.
  func write(_ record: NodeRecord, deadline: Duration) async throws(RedisError) -> String? {
    let values = record.values
    let key = record.id.key
    var set = RedisCommand("HSET", key)
    for (name, value) in zip(NodeRecord.names, values) { set.append(name, value) }
    let code = seal.seal(values, of: key)
    set.append(NodeRecord.sealName, code)
    // Under both seals, so that it can't be put beside other values of the same node.
    let condition = record.condition.text
    set.append(NodeRecord.conditionName, condition)
    set.append(NodeRecord.conditionSealName, seal.seal([condition, code], of: key))
    let life = Int64(limits.recordLife / .milliseconds(1))
    let replies = try await client.transaction(
      [
        RedisCommand("HGET", key, "incarnation"), RedisCommand("DEL", key), set,
        RedisCommand("PEXPIRE", key, life), RedisCommand("SADD", Self.index, record.id.text),
        RedisCommand("SET", Self.era, RandomName.make(16), "NX"),
      ], deadline: deadline)
    // The first may be an error, where somebody put a value of another type there.
    for reply in replies.dropFirst() { if let error = reply.error { throw .refused(error) } }
    return replies.first?.text
  }

  /// Takes a node's record away, with its name.
  func remove(_ id: NodeID, deadline: Duration) async throws(RedisError) {
    _ = try await client.transaction(
      [RedisCommand("DEL", id.key), RedisCommand("SREM", Self.index, id.text)],
      deadline: deadline)
  }

  /// Takes a node's name away, where it has no record.
  func forget(_ id: NodeID, deadline: Duration) async throws(RedisError) {
    try await client.run(
      Self.forget, keys: [id.key, Self.index], arguments: [id.text], deadline: deadline)
  }

  /// The names in the set that are names; at most `limits.nodes` of them.
  func names(deadline: Duration) async throws(RedisError) -> [NodeID] {
    let reply = try await client.send(
      RedisCommand("SRANDMEMBER", Self.index, limits.nodes), deadline: deadline)
    return (reply.array ?? []).compactMap { $0.text.flatMap { NodeID($0) } }
  }

  /// Reads the records of nodes.
  func read(_ ids: [NodeID], deadline: Duration) async throws(RedisError) -> Answer {
    var answer = Answer()
    var eras: Set<[UInt8]> = []
    var rest = ids[...]
    repeat {
      let some = Array(rest.prefix(Self.batch))
      rest = rest.dropFirst(Self.batch)
      // Twice a life: what has longer to live was not written by a node.
      let longest = Int64(limits.recordLife / .milliseconds(1)) * 2
      var arguments: [any RedisCommand.Word] = [NodeCondition.longestText, longest]
      for name in Self.fields { arguments.append(name) }
      let reply = try await client.run(
        Self.read, keys: some.map(\.key) + [Self.era], arguments: arguments, deadline: deadline)
      guard let values = reply.array, values.count == some.count + 1,
        let era = values[some.count].bytes
      else {
        throw .unexpected("records of nodes were asked for, \(reply.kind) came")
      }
      eras.insert(era)
      for (id, value) in zip(some, values) { take(value, of: id, into: &answer) }
    } while !rest.isEmpty
    answer.era = eras.count == 1 && eras != [[]] ? eras.first : nil
    return answer
  }

  private func take(_ value: RedisValue, of id: NodeID, into answer: inout Answer) {
    if value.integer == 0 {
      answer.readings[id] = .absent
      return
    }
    answer.readings[id] = .malformed
    let left = value.array?.first?.integer
    let texts = (value.array ?? []).dropFirst().compactMap(\.text)
    guard let left, texts.count == Self.fields.count else {
      answer.malformed += 1
      return
    }
    let values = Array(texts.dropLast(3))
    let (code, condition, conditionCode) = (
      texts[texts.count - 3], texts[texts.count - 2], texts[texts.count - 1]
    )
    // A node of an older version says nothing of its condition, and seals nothing.
    let isOlder = condition.isEmpty && conditionCode.isEmpty
    guard seal.fits(code, values, of: id.key),
      isOlder || seal.fits(conditionCode, [condition, code], of: id.key)
    else {
      answer.unsealed += 1
      return
    }
    guard var record = NodeRecord(values: values, of: id),
      let said = NodeCondition(text: condition)
    else {
      answer.malformed += 1
      return
    }
    record.condition = said
    let age = limits.recordLife - .milliseconds(left)
    answer.readings[id] = .record(record, age: max(.zero, age))
  }
}

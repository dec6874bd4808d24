import Bytes
import Foundation
import Redis
import Synchronization

/// A queue in Redis: a stream whose consumer group knows who was handed what.
///
/// One node at a time reads it, which holds a lease for that: a group alone would hand purges of
/// one wedding to several, which would do them in any order. Who gets the lease goes on with what
/// the one before had and did not finish.
final class RedisPurgeStore: PurgeStore {
  /// How many ids or purges are in one command.
  private static let most = 500

  private let client: RedisClient
  private let configuration: PurgeQueueConfiguration
  private let node: String
  /// Ours, and no other process' of the same name.
  private let token: String

  init(_ client: RedisClient, _ configuration: PurgeQueueConfiguration, node: String) {
    self.client = client
    self.configuration = configuration
    self.node = node
    token = "\(node)/\(RandomName.make(16))"
  }

  var isAway: Bool { !client.state.isConnected }

  private var key: String { configuration.key }
  private var holder: String { "{\(key)}:holder" }
  private var counts: String { "{\(key)}:counts" }
  private var failed: String { "{\(key)}:failed" }

  // MARK: Publishing

  func add(_ purges: [CDNPurge]) async throws(CDNError) {
    var rest = purges[...]
    while !rest.isEmpty {
      let words = rest.prefix(Self.most).flatMap(\.fields)
      rest = rest.dropFirst(Self.most)
      let reply = try await run(
        PurgeScripts.add, [key], [configuration.maxQueued] + words as [any RedisCommand.Word])
      if reply.integer != 1 {
        throw CDNError(.full, "\(configuration.maxQueued) purges wait already")
      }
    }
  }

  // MARK: Holding

  func hold() async throws(CDNError) -> PurgeHold {
    let milliseconds = Int(configuration.hold / .milliseconds(1))
    switch try await run(PurgeScripts.hold, [holder], [token, milliseconds]).integer {
    case 2: return .kept
    case 1: return .taken
    default: return .none
    }
  }

  func release() async { _ = try? await run(PurgeScripts.release, [holder], [token]) }

  // MARK: Reading

  func unfinished() async throws(CDNError) -> [QueuedPurge] {
    try await prepare()
    var entries: [QueuedPurge] = []
    var cursor = "0-0"
    repeat {
      // Whoever had them holds nothing any more, so however short ago they had them.
      let reply = try await send(
        RedisCommand(
          "XAUTOCLAIM", key, configuration.group, node, 0, cursor, "COUNT", Self.most))
      guard let parts = reply.array, parts.count >= 2, let next = parts[0].text else {
        throw CDNError(.queueUnavailable, "XAUTOCLAIM was answered with \(reply.kind)")
      }
      entries += try await read(parts[1].array ?? [])
      cursor = next
    } while cursor != "0-0"
    return entries
  }

  func take(_ count: Int) async throws(CDNError) -> [QueuedPurge] {
    guard count > 0 else { return [] }
    let command = RedisCommand(
      "XREADGROUP", "GROUP", configuration.group, node, "COUNT", min(count, 2_000), "STREAMS", key,
      ">")
    var reply: RedisValue
    do throws(CDNError) {
      reply = try await send(command)
    } catch {
      // Another Redis in its place, or one that was emptied.
      guard error.message.contains("NOGROUP") else { throw error }
      try await prepare()
      reply = try await send(command)
    }
    return try await read(reply.array?.first?.array?.last?.array ?? [])
  }

  /// Makes the group where there is none.
  private func prepare() async throws(CDNError) {
    do throws(CDNError) {
      try await send(RedisCommand("XGROUP", "CREATE", key, configuration.group, 0, "MKSTREAM"))
    } catch {
      guard error.message.contains("BUSYGROUP") else { throw error }
    }
  }

  /// Reads entries; those that no node of ours would write are taken out.
  private func read(_ values: [RedisValue]) async throws(CDNError) -> [QueuedPurge] {
    var entries: [QueuedPurge] = []
    var strange: [RedisStreamID] = []
    for value in values {
      guard let parts = value.array, let id = parts.first?.text.flatMap(RedisStreamID.init) else {
        continue
      }
      let fields = parts.last?.fields?.compactMapValues(\.bytes) ?? [:]
      if let purge = CDNPurge(RedisStreamEntry(id: id, fields: fields)) {
        entries.append(QueuedPurge(id: id, purge: purge))
      } else {
        strange.append(id)
      }
    }
    if !strange.isEmpty {
      try await giveUp(strange, CDNError(.refused, "it isn't a purge"), "an entry")
    }
    return entries
  }

  // MARK: Ending

  func finish(_ entries: [QueuedPurge]) async throws(CDNError) {
    var rest = entries[...]
    while !rest.isEmpty {
      let ids = rest.prefix(Self.most).map(\.id.description)
      rest = rest.dropFirst(Self.most)
      try await run(PurgeScripts.finish, [key, counts], [configuration.group] + ids)
    }
  }

  func giveUp(_ entries: [QueuedPurge], _ error: CDNError) async throws(CDNError) {
    guard let first = entries.first else { return }
    try await giveUp(entries.map(\.id), error, "\(first.purge)")
  }

  private func giveUp(
    _ ids: [RedisStreamID], _ error: CDNError, _ what: String
  ) async throws(CDNError) {
    var rest = ids[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.most).map(\.description)
      rest = rest.dropFirst(Self.most)
      let words: [any RedisCommand.Word] = [
        configuration.group, configuration.maxFailures, "\(error)", "\(error) (\(what))",
        MemoryPurgeStore.now,
      ]
      try await run(PurgeScripts.giveUp, [key, counts, failed], words + some)
    }
  }

  func note(_ error: CDNError, of purge: CDNPurge) async {
    _ = try? await send(
      RedisCommand(
        "HSET", counts, "error", "\(error) (\(purge))", "error_time", MemoryPurgeStore.now))
  }

  // MARK: Looking

  func status() async throws(CDNError) -> PurgeStatus {
    let replies: [RedisValue]
    do throws(RedisError) {
      replies = try await client.pipeline(
        [
          RedisCommand("XLEN", key), RedisCommand("HGETALL", counts),
          RedisCommand("XRANGE", key, "-", "+", "COUNT", 1), RedisCommand("GET", holder),
        ], deadline: configuration.deadline)
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
    guard replies.count == 4 else { throw CDNError(.queueUnavailable, "replies are missing") }
    for reply in replies {
      if let error = reply.error { throw CDNError(.queueUnavailable, "\(error)") }
    }
    var status = PurgeStatus()
    status.queued = Int(replies[0].integer ?? 0)
    let counts = replies[1].fields ?? [:]
    status.sent = Int(counts["sent"]?.integer ?? 0)
    status.failed = Int(counts["failed"]?.integer ?? 0)
    status.lastError = counts["error"]?.text
    status.lastErrorTime = (counts["error_time"]?.integer).map { UInt64(max(0, $0)) }
    if let id = replies[2].array?.first?.array?.first?.text.flatMap(RedisStreamID.init) {
      let now = MemoryPurgeStore.now
      status.oldestAge = .milliseconds(now - min(now, id.milliseconds))
    }
    status.holder = replies[3].text?.split(separator: "/").dropLast().joined(separator: "/")
    return status
  }

  func failures(_ count: Int) async throws(CDNError) -> [FailedPurge] {
    let reply = try await send(
      RedisCommand("XREVRANGE", failed, "+", "-", "COUNT", max(1, count)))
    return (reply.array ?? []).compactMap { value in
      guard let parts = value.array, parts.count == 2,
        let id = parts[0].text.flatMap(RedisStreamID.init),
        let fields = parts[1].fields?.compactMapValues(\.bytes)
      else { return nil }
      let entry = RedisStreamEntry(id: id, fields: fields)
      guard let purge = CDNPurge(entry), let error = entry["error"],
        let queued = entry["queued"].flatMap(RedisStreamID.init)
      else { return nil }
      return FailedPurge(purge: purge, error: error, queued: queued.milliseconds)
    }
  }

  // MARK: Commands

  @discardableResult
  private func send(_ command: RedisCommand) async throws(CDNError) -> RedisValue {
    do throws(RedisError) {
      return try await client.send(command, deadline: configuration.deadline)
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
  }

  @discardableResult
  private func run(
    _ script: RedisScript, _ keys: [String], _ arguments: [any RedisCommand.Word]
  ) async throws(CDNError) -> RedisValue {
    do throws(RedisError) {
      return try await client.run(
        script, keys: keys, arguments: arguments, deadline: configuration.deadline)
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
  }
}

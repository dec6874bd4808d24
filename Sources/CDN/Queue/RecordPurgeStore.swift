import Redis
import Store
import Synchronization

/// A queue in the node's own file, for a node without a Redis: it outlives the process.
///
/// The data folder is one process', so nobody else does its purges.
final class RecordPurgeStore: PurgeStore {
  private let records: SQLitePurges
  private let configuration: PurgeQueueConfiguration
  private let node: String
  /// The last one that was handed out, and whether this node has begun.
  private let state = Mutex((last: Int64(0), isHeld: false))

  init(_ records: SQLitePurges, _ configuration: PurgeQueueConfiguration, node: String) {
    self.records = records
    self.configuration = configuration
    self.node = node
  }

  func add(_ purges: [CDNPurge]) async throws(CDNError) {
    let now = Int64(MemoryPurgeStore.now)
    do throws(StoreError) {
      let isAdded = try await records.add(
        purges.map { $0.record(queued: now) }, bound: configuration.maxQueued)
      if isAdded { return }
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
    throw CDNError(.full, "\(configuration.maxQueued) purges wait already")
  }

  func hold() -> PurgeHold {
    state.withLock { state in
      defer { state.isHeld = true }
      return state.isHeld ? .kept : .taken
    }
  }

  func release() { state.withLock { $0.isHeld = false } }

  func unfinished() async throws(CDNError) -> [QueuedPurge] {
    let last = state.withLock(\.last)
    if last == 0 { return [] }
    return try await read(1...last, configuration.maxQueued)
  }

  func take(_ count: Int) async throws(CDNError) -> [QueuedPurge] {
    guard count > 0 else { return [] }
    let last = state.withLock(\.last)
    let taken = try await read(last + 1...Int64.max, count)
    if let newest = taken.last { state.withLock { $0.last = Int64(newest.id.sequence) } }
    return taken
  }

  private func read(_ ids: ClosedRange<Int64>, _ count: Int) async throws(CDNError) -> [QueuedPurge]
  {
    do throws(StoreError) {
      return try await records.waiting(ids, atMost: count).compactMap(QueuedPurge.init)
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
  }

  func finish(_ entries: [QueuedPurge]) async throws(CDNError) {
    do throws(StoreError) {
      try await records.remove(entries.map { Int64($0.id.sequence) }, areSent: true)
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
  }

  func giveUp(_ entries: [QueuedPurge], _ error: CDNError) async throws(CDNError) {
    guard let first = entries.first else { return }
    do throws(StoreError) {
      try await records.giveUp(
        entries.map { Int64($0.id.sequence) }, "\(error)", keeping: configuration.maxFailures)
      try await records.note("\(error) (\(first.purge))", at: Int64(MemoryPurgeStore.now))
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
  }

  func note(_ error: CDNError, of purge: CDNPurge) async {
    try? await records.note("\(error) (\(purge))", at: Int64(MemoryPurgeStore.now))
  }

  func status() async throws(CDNError) -> PurgeStatus {
    let counts: PurgeCounts
    do throws(StoreError) {
      counts = try await records.counts()
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
    var status = PurgeStatus()
    status.queued = counts.waiting
    status.sent = counts.sent
    status.failed = counts.failed
    status.lastError = counts.error
    status.lastErrorTime = counts.errorTime.map { UInt64(max(0, $0)) }
    let now = Int64(MemoryPurgeStore.now)
    status.oldestAge = counts.oldest.map { .milliseconds(max(0, now - $0)) }
    status.holder = state.withLock(\.isHeld) ? node : nil
    return status
  }

  func failures(_ count: Int) async throws(CDNError) -> [FailedPurge] {
    do throws(StoreError) {
      return try await records.failures(count).compactMap { purge, error in
        CDNPurge(purge).map {
          FailedPurge(purge: $0, error: error, queued: UInt64(max(0, purge.queued)))
        }
      }
    } catch {
      throw CDNError(.queueUnavailable, "\(error)")
    }
  }
}

extension QueuedPurge {
  /// A purge of a node's file; nil where it is none.
  init?(_ record: PurgeRecord) {
    guard let purge = CDNPurge(record) else { return nil }
    id = RedisStreamID(
      milliseconds: UInt64(max(0, record.queued)), sequence: UInt64(max(0, record.id)))
    self.purge = purge
  }
}

extension CDNPurge {
  /// As a node's file keeps it.
  func record(queued: Int64) -> PurgeRecord {
    let (kind, what) = words
    return PurgeRecord(
      queued: queued, wedding: wedding, kind: kind, what: what, isSoft: isSoft, reason: reason)
  }

  /// Reads a record; nil where it isn't one of ours.
  init?(_ record: PurgeRecord) {
    guard let target = Target(kind: record.kind, what: record.what) else { return nil }
    self.init(wedding: record.wedding, target, isSoft: record.isSoft, reason: record.reason)
    if !isValid { return nil }
  }
}

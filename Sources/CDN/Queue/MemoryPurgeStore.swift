import Foundation
import Redis
import Synchronization

/// A queue in memory; it ends with the process.
final class MemoryPurgeStore: PurgeStore {
  private struct State {
    var last = RedisStreamID.beginning
    var fresh: [QueuedPurge] = []
    /// Handed out and not done, by id.
    var open: [RedisStreamID: CDNPurge] = [:]
    var isHeld = false
    var status = PurgeStatus()
    var failures: [FailedPurge] = []
  }

  private let configuration: PurgeQueueConfiguration
  private let node: String
  private let state = Mutex(State())

  init(_ configuration: PurgeQueueConfiguration, node: String) {
    self.configuration = configuration
    self.node = node
  }

  static var now: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }

  func add(_ purges: [CDNPurge]) throws(CDNError) {
    let bound = configuration.maxQueued
    let isAdded = state.withLock { state in
      guard state.fresh.count + state.open.count + purges.count <= bound else { return false }
      for purge in purges {
        let now = max(Self.now, state.last.milliseconds)
        state.last = RedisStreamID(
          milliseconds: now,
          sequence: now == state.last.milliseconds ? state.last.sequence + 1 : 0)
        state.fresh.append(QueuedPurge(id: state.last, purge: purge))
      }
      return true
    }
    if !isAdded { throw CDNError(.full, "\(bound) purges wait already") }
  }

  func hold() -> PurgeHold {
    state.withLock { state in
      defer { state.isHeld = true }
      return state.isHeld ? .kept : .taken
    }
  }

  func release() { state.withLock { $0.isHeld = false } }

  func unfinished() -> [QueuedPurge] {
    state.withLock { state in
      state.open.map { QueuedPurge(id: $0.key, purge: $0.value) }.sorted { $0.id < $1.id }
    }
  }

  func take(_ count: Int) -> [QueuedPurge] {
    state.withLock { state in
      let taken = Array(state.fresh.prefix(count))
      state.fresh.removeFirst(taken.count)
      for entry in taken { state.open[entry.id] = entry.purge }
      return taken
    }
  }

  func finish(_ entries: [QueuedPurge]) {
    state.withLock { state in
      for entry in entries where state.open.removeValue(forKey: entry.id) != nil {
        state.status.sent += 1
      }
    }
  }

  func giveUp(_ entries: [QueuedPurge], _ error: CDNError) {
    let bound = configuration.maxFailures
    state.withLock { state in
      for entry in entries where state.open.removeValue(forKey: entry.id) != nil {
        state.status.failed += 1
        state.status.lastError = "\(error) (\(entry.purge))"
        state.status.lastErrorTime = Self.now
        state.failures.insert(
          FailedPurge(purge: entry.purge, error: "\(error)", queued: entry.id.milliseconds), at: 0)
      }
      state.failures.removeLast(max(0, state.failures.count - bound))
    }
  }

  func note(_ error: CDNError, of purge: CDNPurge) {
    state.withLock { state in
      state.status.lastError = "\(error) (\(purge))"
      state.status.lastErrorTime = Self.now
    }
  }

  func status() -> PurgeStatus {
    state.withLock { state in
      var status = state.status
      status.queued = state.fresh.count + state.open.count
      let oldest = [state.fresh.first?.id, state.open.keys.min()].compactMap(\.self).min()
      status.oldestAge = oldest.map { .milliseconds(Self.now - min(Self.now, $0.milliseconds)) }
      status.holder = state.isHeld ? node : nil
      return status
    }
  }

  func failures(_ count: Int) -> [FailedPurge] {
    state.withLock { Array($0.failures.prefix(count)) }
  }
}

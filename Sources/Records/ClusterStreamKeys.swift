import Cluster
package import Logging
package import Store
import Synchronization

/// The stream keys of a cluster: they are in Redis, and those that this node has made are in its
/// own file as well.
///
/// A key is kept when either has it. What Redis could not take is sent again by `sendAgain`, when
/// it is back: until then no other node can give it out.
package final class ClusterStreamKeys: StreamKeyStore {
  private let shared: RedisStreamKeys
  private let own: SQLiteStreamKeys
  private let logger: Logger
  /// Whether some of this node's keys are missing in Redis, as far as is known.
  private let isBehind = Mutex(true)
  /// What the log says of it.
  private let trouble: Mutex<RedisTrouble>

  /// Keeps keys in Redis.
  ///
  /// - Parameters:
  ///   - shared: all nodes' keys.
  ///   - own: this node's, in its data folder.
  ///   - logger: hears when keys are in one place alone.
  package init(_ shared: RedisStreamKeys, own: SQLiteStreamKeys, logger: Logger) {
    self.shared = shared
    self.own = own
    self.logger = logger
    trouble = Mutex(shared.trouble)
  }

  package func add(_ key: StreamKeyRecord) async throws(StoreError) {
    var failure: StoreError?
    do throws(StoreError) { try await own.add(key) } catch { failure = error }
    do throws(StoreError) {
      try await shared.add(key)
    } catch {
      guard error.canRetry, failure == nil else { throw error }
      noteBehind(error)
    }
    if let failure {
      logger.warning("a stream key is in Redis alone", metadata: ["error": "\(failure)"])
    }
  }

  package func key(_ id: String) async throws(StoreError) -> StreamKeyRecord? {
    do throws(StoreError) {
      if let key = try await shared.key(id) { return key }
    } catch {
      guard error.canRetry else { throw error }
      if let key = try await own.key(id) { return key }
      // Another node's, perhaps.
      throw error
    }
    return try await own.key(id)
  }

  package func keys(ofWedding wedding: String) async throws(StoreError) -> [StreamKeyRecord] {
    try await shared.keys(ofWedding: wedding)
  }

  package func retire(_ id: String, neededUntil time: Int64) async throws(StoreError) {
    try await own.retire(id, neededUntil: time)
    // Where that fails the record says that the key is needed for longer than it is.
    do throws(StoreError) {
      try await shared.retire(id, neededUntil: time)
    } catch {
      guard error.canRetry else { throw error }
      noteBehind(error)
    }
  }

  package func forgetKeys(now: Int64) async throws(StoreError) -> Int {
    let count = try await own.forgetKeys(now: now)
    do throws(StoreError) {
      return max(count, try await shared.forgetKeys(now: now))
    } catch {
      guard error.canRetry else { throw error }
      return count
    }
  }

  /// Sends this node's keys that Redis may lack.
  ///
  /// - Parameters:
  ///   - all: also where none is known to be missing: Redis may have lost its data.
  ///   - now: milliseconds since 1970; what nobody needs any more stays away.
  /// - Throws: why they could not be sent; call it again then.
  package func sendAgain(all: Bool = false, now: Int64) async throws(StoreError) {
    guard all || isBehind.withLock({ $0 }) else { return }
    isBehind.withLock { $0 = false }
    do throws(StoreError) {
      for key in try await own.keys(neededAt: now) {
        try await shared.add(key)
        try await shared.retire(key.id, neededUntil: key.neededUntil)
      }
      trouble.withLock { $0.isOver() }
    } catch {
      noteBehind(error)
      throw error
    }
  }

  private func noteBehind(_ error: StoreError) {
    isBehind.withLock { $0 = true }
    if let level = trouble.withLock({ $0.level(for: "\(error)") }) {
      logger.log(
        level: level, "stream keys are on this node alone", metadata: ["error": "\(error)"])
    }
  }
}

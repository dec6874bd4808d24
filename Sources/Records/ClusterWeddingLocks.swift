package import Store

/// The locked weddings of a cluster: they are in Redis, and every node has a copy on its disk.
///
/// While Redis is away nobody can lock or unlock, and what was known goes on. A Redis that has lost
/// its data is told what this node knew: nothing that was locked is opened by that.
package actor ClusterWeddingLocks: WeddingLockStore {
  private let shared: RedisWeddingLocks
  private let copy: SQLiteWeddingLocks
  private let announce: @Sendable (String) async -> Void
  /// What was read last; nil where not even the copy has been.
  private var known: (weddings: [String: Int64], era: String?)?
  /// Whether the copy has it.
  private var isCopied = true

  /// Keeps locks in Redis.
  ///
  /// - Parameters:
  ///   - shared: all nodes' locks.
  ///   - copy: this node's, in its data folder.
  ///   - announce: tells all nodes that a wedding was locked or unlocked.
  package init(
    _ shared: RedisWeddingLocks, copy: SQLiteWeddingLocks,
    announce: @escaping @Sendable (String) async -> Void = { _ in }
  ) {
    self.shared = shared
    self.copy = copy
    self.announce = announce
  }

  package func lock(_ wedding: String, since time: Int64) async throws(StoreError) {
    try await shared.lock(wedding, since: time)
    await announce(wedding)
  }

  package func unlock(_ wedding: String) async throws(StoreError) {
    try await shared.unlock(wedding)
    await announce(wedding)
  }

  package func locked() async throws(StoreError) -> [String: Int64] {
    let known = try await copied()
    var (weddings, era): ([String: Int64], String)
    do throws(StoreError) {
      (weddings, era) = try await shared.lockedNow()
    } catch {
      guard error.canRetry else { throw error }
      return known.weddings
    }
    if era != known.era {
      for (wedding, since) in known.weddings where weddings[wedding] == nil {
        if try await shared.restore(wedding, since: since) { weddings[wedding] = since }
      }
    }
    if !isCopied || (weddings, era) != (known.weddings, known.era) {
      self.known = (weddings, era)
      // A disk that is full keeps no wedding open; the next reading tries it again.
      do throws(StoreError) {
        try await copy.copy(weddings, era: era)
        isCopied = true
      } catch {
        isCopied = false
      }
    }
    return weddings
  }

  private func copied() async throws(StoreError) -> (weddings: [String: Int64], era: String?) {
    if let known { return known }
    let read = (weddings: try await copy.locked(), era: try await copy.era())
    known = read
    return read
  }
}

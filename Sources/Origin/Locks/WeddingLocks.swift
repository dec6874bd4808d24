import Viewers
import ControlAPI
package import EventLoop
package import Logging
package import Store
import Synchronization

/// Which weddings are locked: nobody watches them but holders of a token that is good for that.
///
/// Shared by the control plane; each loop has a copy in its gates.
package final class WeddingLocks: WeddingLockDirectory {
  private let store: any WeddingLockStore
  private let logger: Logger
  private let patience: Duration
  private struct State {
    var weddings: Set<String> = []
    var loops: [LoopMailbox] = []
    /// How often this node has changed them.
    var changes = 0
  }

  private let state = Mutex(State())

  /// Makes an empty set; `load` fills it.
  ///
  /// - Parameters:
  ///   - store: keeps them.
  ///   - logger: hears of changes.
  ///   - patience: how long a change waits for the store.
  package init(
    store: any WeddingLockStore, logger: Logger, patience: Duration = .seconds(5)
  ) {
    self.store = store
    self.patience = patience
    self.logger = logger
  }

  /// Reads what was locked before.
  ///
  /// - Parameter loops: that serve viewers and players, and are told of changes.
  /// - Throws: why it can't be read: the node must not open what was locked.
  package func load(_ loops: [LoopMailbox]) async throws(StoreError) {
    let weddings = Set(try await store.locked().keys)
    state.withLock { state in
      state.weddings = weddings
      state.loops = loops
    }
    tell()
  }

  /// Reads again what is locked: another node of the cluster may have changed it.
  ///
  /// - Throws: why it can't be read; what was known stays so.
  package func refresh() async throws(StoreError) {
    while true {
      let changes = state.withLock { $0.changes }
      let weddings = Set(try await store.locked().keys)
      let news: [String]? = state.withLock { state in
        // What this node has changed meanwhile may not have been read.
        guard state.changes == changes else { return nil }
        let news = state.weddings.symmetricDifference(weddings).sorted()
        state.weddings = weddings
        return news
      }
      guard let news else { continue }
      if !news.isEmpty { tell() }
      for wedding in news {
        logger.notice(
          weddings.contains(wedding) ? "wedding.locked" : "wedding.unlocked",
          metadata: ["wedding": "\(wedding)", "by": "another node"])
      }
      return
    }
  }

  /// Those that are locked.
  package var weddings: Set<String> { state.withLock { $0.weddings } }

  /// Whether a wedding is locked.
  package func contains(_ wedding: String) -> Bool {
    state.withLock { $0.weddings.contains(wedding) }
  }

  /// Locks or unlocks a wedding; it takes effect at once, and stays over restarts.
  ///
  /// - Throws: why it can't be kept; nothing has changed then. After `.stalled` it takes effect
  ///   when the store has kept it after all.
  package func change(_ wedding: String, isLocked: Bool) async throws {
    try await waiting(atMost: patience) { [self] () async throws(StoreError) in
      if isLocked {
        try await store.lock(wedding, since: StreamOutlet.wallClockMilliseconds)
      } else {
        try await store.unlock(wedding)
      }
      changed(wedding, isLocked: isLocked)
    }
  }

  private func changed(_ wedding: String, isLocked: Bool) {
    state.withLock { state in
      state.changes += 1
      if isLocked { state.weddings.insert(wedding) } else { state.weddings.remove(wedding) }
    }
    tell()
    logger.notice(
      isLocked ? "wedding.locked" : "wedding.unlocked", metadata: ["wedding": "\(wedding)"])
  }

  /// Gives every loop its copy: those that have no gate yet need it once they have one.
  package func tell() {
    let (weddings, loops) = state.withLock { ($0.weddings, $0.loops) }
    for loop in loops {
      loop.submit { loop in
        loop.local(ViewerSite.self)?.handler.gate.locked = weddings
        loop.local(OriginLoop.self)?.locked = weddings
      }
    }
  }
}

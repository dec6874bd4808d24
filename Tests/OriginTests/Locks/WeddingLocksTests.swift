import Logging
import Store
import Testing

@testable import Origin

@Suite struct `Wedding locks` {
  /// Keeps everybody waiting while it is held.
  private actor HeldStore: WeddingLockStore {
    let memory = MemoryWeddingLocks()
    private var isHeld = true
    private var held: [CheckedContinuation<Void, Never>] = []

    func letGo() {
      isHeld = false
      for continuation in held { continuation.resume() }
      held = []
    }

    private func answer() async {
      if isHeld { await withCheckedContinuation { held.append($0) } }
    }

    func lock(_ wedding: String, since time: Int64) async throws(StoreError) {
      await answer()
      try await memory.lock(wedding, since: time)
    }

    func unlock(_ wedding: String) async throws(StoreError) {
      await answer()
      try await memory.unlock(wedding)
    }

    func locked() async throws(StoreError) -> [String: Int64] { try await memory.locked() }
  }

  @Test func `a store that never answers is told, and what it keeps later takes effect then`()
    async throws
  {
    let store = HeldStore()
    let locks = WeddingLocks(
      store: store, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      patience: .milliseconds(20))
    await #expect(throws: StoreError.stalled(.milliseconds(20))) {
      try await locks.change("w", isLocked: true)
    }
    #expect(!locks.contains("w"))
    await store.letGo()
    #expect(await eventually { locks.contains("w") })
    #expect(try await store.locked()["w"] != nil)
  }
}

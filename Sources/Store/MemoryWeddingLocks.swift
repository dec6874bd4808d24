/// `WeddingLockStore` in memory: gone with the process.
package actor MemoryWeddingLocks: WeddingLockStore {
  private var weddings: [String: Int64] = [:]

  package init() {}

  package func lock(_ wedding: String, since time: Int64) async throws(StoreError) {
    weddings[wedding] = weddings[wedding] ?? time
  }

  package func unlock(_ wedding: String) async throws(StoreError) { weddings[wedding] = nil }

  package func locked() async throws(StoreError) -> [String: Int64] { weddings }
}

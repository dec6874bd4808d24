/// Keeps which weddings are locked; SQLite in standalone, Redis in a cluster.
///
/// Every implementation passes the same suite of tests.
package protocol WeddingLockStore: Sendable {
  /// Locks a wedding; it stays locked over restarts.
  ///
  /// - Parameters:
  ///   - wedding: one that is locked already keeps its time.
  ///   - time: milliseconds since 1970.
  /// - Throws: why nothing could be stored.
  func lock(_ wedding: String, since time: Int64) async throws(StoreError)

  /// Unlocks a wedding; one that isn't locked is no error.
  func unlock(_ wedding: String) async throws(StoreError)

  /// All that are locked, with the time since when, in milliseconds since 1970.
  func locked() async throws(StoreError) -> [String: Int64]
}

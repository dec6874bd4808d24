/// A key that segments are encrypted with, as it is kept: sealed.
package struct StreamKeyRecord: Sendable, Equatable {
  /// Names it in addresses; random, and never used again.
  package var id: String
  package var stream: StreamNumbers.Name
  /// The key under the secret of the node or the cluster.
  package var sealed: [UInt8]
  /// When it was made, in milliseconds since 1970.
  package var created: Int64
  /// Until when somebody may need it, in milliseconds since 1970: what nobody retires goes then.
  package var neededUntil: Int64

  package init(
    id: String, stream: StreamNumbers.Name, sealed: [UInt8], created: Int64,
    neededUntil: Int64
  ) {
    self.id = id
    self.stream = stream
    self.sealed = sealed
    self.created = created
    self.neededUntil = neededUntil
  }

  /// Whether it is the same key, however long it is needed.
  func isSame(as other: StreamKeyRecord) -> Bool {
    (id, stream, sealed) == (other.id, other.stream, other.sealed)
  }
}

/// Keeps the keys of streams; SQLite in standalone, Redis in a cluster.
///
/// Every implementation passes the same suite of tests.
package protocol StreamKeyStore: Sendable {
  /// Keeps a key: it can be found by every node, and after a crash, when this returns.
  ///
  /// The same key again is no error: whoever adds it may not have heard that it was kept.
  ///
  /// - Throws: `.failed` where there is another key of that name, or why nothing could be stored.
  func add(_ key: StreamKeyRecord) async throws(StoreError)

  /// Finds a key; nil where there is none of that name.
  func key(_ id: String) async throws(StoreError) -> StreamKeyRecord?

  /// All keys of a wedding's streams, oldest first.
  func keys(ofWedding wedding: String) async throws(StoreError) -> [StreamKeyRecord]

  /// Says until when a key may still be needed, as it encrypts nothing more.
  ///
  /// - Parameters:
  ///   - id: of a key; one that isn't there is no error.
  ///   - time: milliseconds since 1970.
  /// - Throws: why nothing could be stored.
  func retire(_ id: String, neededUntil time: Int64) async throws(StoreError)

  /// Forgets the keys that nobody needs any more.
  ///
  /// - Parameter now: milliseconds since 1970.
  /// - Returns: how many were forgotten.
  /// - Throws: why nothing could be forgotten.
  func forgetKeys(now: Int64) async throws(StoreError) -> Int
}

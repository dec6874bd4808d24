/// Which weddings are locked; the node, or the cluster, answers.
package protocol WeddingLockDirectory: Sendable {
  /// Whether only tokens that were made for that open a wedding.
  func contains(_ wedding: String) -> Bool

  /// Locks or unlocks a wedding: at once, and over restarts.
  ///
  /// - Throws: why it can't be kept; nothing has changed then.
  func change(_ wedding: String, isLocked: Bool) async throws
}

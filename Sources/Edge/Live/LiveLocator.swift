package import Media

/// Finds the nodes that may have a stream.
package struct LiveLocator: Sendable {
  /// The likeliest first; the camera is `program` where the wedding's own address was asked for.
  let find: @Sendable (StreamKey) async -> [Upstream]
  /// Told of a node that gave no answer.
  let failed: @Sendable (Upstream) -> Void

  package init(
    find: @escaping @Sendable (StreamKey) async -> [Upstream],
    failed: @escaping @Sendable (Upstream) -> Void = { _ in }
  ) {
    self.find = find
    self.failed = failed
  }
}

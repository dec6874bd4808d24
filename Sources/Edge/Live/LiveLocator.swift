package import Media

/// Finds the nodes that may have a stream.
package struct LiveLocator: Sendable {
  /// Where a stream may be.
  package struct Place: Sendable {
    /// The likeliest first.
    package var nodes: [Upstream]
    /// Whether it is being published there, as is known from elsewhere: a node that hasn't got it
    /// yet soon has.
    package var isLive: Bool
    /// Whether others may have it that can't be asked: that these haven't got it says nothing then.
    package var isPartial: Bool
    /// Whether nobody knows which of them has it, and they have to be asked.
    package var isGuess: Bool

    package init(
      _ nodes: [Upstream], isLive: Bool = false, isPartial: Bool = false, isGuess: Bool = false
    ) {
      self.nodes = nodes
      self.isLive = isLive
      self.isPartial = isPartial
      self.isGuess = isGuess
    }
  }

  /// Looks for a stream; the camera is `program` where the wedding's own address was asked for.
  let find: @Sendable (StreamKey) async -> Place
  /// The nodes that may have a stream's segments, be its playlists another's by now; those that
  /// have the stream where it is nil.
  let keepers: (@Sendable (StreamKey) -> [Upstream])?
  /// Told of a node that gave no answer.
  let failed: @Sendable (Upstream) -> Void

  /// Whether what a node tells of a stream is known to be another's: it had it before, under a
  /// smaller epoch, or has no lease of it while another node has.
  let isStale: @Sendable (StreamKey, _ epoch: Int64?, _ node: Upstream) -> Bool

  package init(
    find: @escaping @Sendable (StreamKey) async -> Place,
    keepers: (@Sendable (StreamKey) -> [Upstream])? = nil,
    failed: @escaping @Sendable (Upstream) -> Void = { _ in },
    isStale: @escaping @Sendable (StreamKey, Int64?, Upstream) -> Bool = { _, _, _ in false }
  ) {
    self.find = find
    self.keepers = keepers
    self.failed = failed
    self.isStale = isStale
  }
}

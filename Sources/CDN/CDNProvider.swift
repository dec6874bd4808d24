/// Purges that go to a CDN in one call.
package struct PurgeBatch: Equatable, Sendable {
  /// The same for the same purges, however often they are sent, and another one for others.
  package let id: String
  /// All different, and of one `group`.
  package let purges: [CDNPurge]

  package init(id: String, _ purges: [CDNPurge]) {
    self.id = id
    self.purges = purges
  }
}

/// A CDN that can be told what not to serve any more.
package protocol CDNProvider: Sendable {
  /// For people and metrics: `cloudfront`.
  var name: String { get }

  /// The longest that a call takes; then it has failed.
  var deadline: Duration { get }

  /// Which purges may go into one call together: those of the same group.
  func group(of purge: CDNPurge) -> PurgeGroup

  /// Sends one call; doing it twice does no harm.
  ///
  /// - Parameter batch: no larger than its group's limit.
  /// - Throws: why it wasn't done, or may not have been.
  func send(_ batch: PurgeBatch) async throws(CDNError)
}

/// Purges that one call of a CDN can hold together.
package struct PurgeGroup: Hashable, Sendable {
  package let name: String
  /// Purges in one call.
  package let limit: Int
  /// How many of one call may weigh, where they weigh differently; see `weight`.
  package let weightLimit: Int
  /// What a purge of this group weighs: CloudFront's wildcards 1, all others 0.
  package let weight: Int

  package init(_ name: String, limit: Int, weight: Int = 0, weightLimit: Int = .max) {
    self.name = name
    self.limit = max(1, limit)
    self.weight = weight
    self.weightLimit = weightLimit
  }
}

/// What caches are told to forget, as the API asks for it and shows it.
package protocol PurgeDirectory: Sendable {
  /// Has caches forget something of a wedding's; queued durably when this returns.
  ///
  /// - Parameters:
  ///   - wedding: whose.
  ///   - target: what of it.
  ///   - isSoft: whether it may still be served while it is asked for anew.
  ///   - reason: a stable word.
  /// - Throws: why it is not queued.
  func purge(
    _ wedding: String, _ target: PurgeTarget, isSoft: Bool, reason: String
  ) async throws(APIError)

  /// How the queue stands.
  ///
  /// - Throws: 503 where that can't be found out.
  func status() async throws(APIError) -> PurgeQueueInfo
}

/// What of a wedding's caches are to forget.
package enum PurgeTarget: Sendable, Equatable {
  case everything
  case path(String)
  case prefix(String)
}

/// The queue of purges, as the API shows it.
package struct PurgeQueueInfo: Codable, Sendable, Equatable {
  package struct Failure: Codable, Sendable, Equatable {
    package var weddingId: String
    /// `tag`, `path` or `prefix`, and its name.
    package var kind: String
    package var what: String
    package var reason: String
    package var error: String
    /// Seconds since 1970.
    package var queuedAt: Int64

    package init(
      weddingId: String, kind: String, what: String, reason: String, error: String, queuedAt: Int64
    ) {
      self.weddingId = weddingId
      self.kind = kind
      self.what = what
      self.reason = reason
      self.error = error
      self.queuedAt = queuedAt
    }
  }

  /// Nil where no CDN is configured: edges alone are told.
  package var provider: String?
  /// The node that does the purges now.
  package var node: String?
  package var queued = 0
  /// Of these, what waits on the node that answers until Redis is back.
  package var waitingHere = 0
  /// Ever.
  package var sent = 0
  package var failed = 0
  package var oldestSeconds: Int64?
  package var lastError: String?
  /// Seconds since 1970.
  package var lastErrorAt: Int64?
  /// The last ones that were given up, newest first.
  package var failures: [Failure] = []

  package init() {}

  /// Writes what there isn't as null, not as nothing: who reads it finds each name.
  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(provider, forKey: .provider)
    try fields.encode(node, forKey: .node)
    try fields.encode(queued, forKey: .queued)
    try fields.encode(waitingHere, forKey: .waitingHere)
    try fields.encode(sent, forKey: .sent)
    try fields.encode(failed, forKey: .failed)
    try fields.encode(oldestSeconds, forKey: .oldestSeconds)
    try fields.encode(lastError, forKey: .lastError)
    try fields.encode(lastErrorAt, forKey: .lastErrorAt)
    try fields.encode(failures, forKey: .failures)
  }
}

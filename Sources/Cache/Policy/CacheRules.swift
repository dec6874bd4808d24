import HTTPTypes

/// What a cache does where the origin leaves it open; the defaults are meant for any origin.
package struct CacheRules: Equatable, Sendable {
  /// Of the time since its last change, how much a response is taken to be fresh, in percent; 0 for
  /// none (RFC 9111, 4.2.2).
  package var heuristicPercent: Int64 = 10
  /// The longest guess, in seconds.
  package var longestGuess: Int64 = 86_400
  /// Seconds for which a stale response is served where the origin can't answer, and says nothing
  /// of it.
  package var staleIfError: Int64 = 0
  /// Whether clients may ask for something newer than what is stored, or for nothing stored
  /// (RFC 9111, 5.2.1).
  package var honoursClients = true
  /// Seconds for which the origin's errors (5xx) that say nothing are remembered; 0 for never.
  package var errorLifetime: Int64 = 0

  package init() {}

  /// How long a response is taken to be fresh that doesn't say it.
  func heuristicLifetime(
    of response: HTTPResponse, date: Int64, directives: CacheDirectives
  ) -> Int64 {
    guard Self.isHeuristicallyCacheable(response.status.code) || directives.isPublic,
      let changed = response.headerFields.date(.lastModified), changed < date
    else { return 0 }
    return min(longestGuess, (date - changed) * heuristicPercent / 100)
  }

  /// Statuses that may be stored without a word of how long (RFC 9110, 15.1).
  static func isHeuristicallyCacheable(_ status: Int) -> Bool {
    switch status {
    case 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501: true
    default: false
    }
  }

  /// Statuses whose rules for caches this one knows (RFC 9111, 3: must-understand).
  static func isUnderstood(_ status: Int) -> Bool {
    switch status {
    case 200, 201, 202, 203, 204, 300, 301, 302, 303, 307, 308: true
    case 400...417, 421, 422, 425, 426, 428, 429, 431, 451: true
    case 500...506, 511: true
    default: false
    }
  }
}

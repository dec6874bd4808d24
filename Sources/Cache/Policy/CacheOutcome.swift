/// What a cache did with a request, as it tells the client and the metrics.
///
/// `Cache-Status` is RFC 9211's, `X-Cache-Status` has the words that nginx made common.
package enum CacheOutcome: Equatable, Sendable {
  case hit(ttl: Int64)
  /// Served stale, and asked for anew behind the client's back.
  case updating(ttl: Int64)
  /// Served stale, as the origin can't answer.
  case stale(ttl: Int64)
  /// The origin said that what is stored is still true.
  case revalidated(ttl: Int64)
  /// What was stored had expired; the answer is new.
  case expired(stored: Bool, status: Int)
  case miss(stored: Bool, collapsed: Bool)
  case bypass
  /// Not by this method.
  case method

  /// What it is for one who takes a response that another one's request has brought on its way.
  package var collapsed: CacheOutcome {
    if case .miss(let stored, _) = self { return .miss(stored: stored, collapsed: true) }
    return self
  }

  /// Whether the response is kept for others.
  package var isStored: Bool {
    switch self {
    case .miss(let stored, _), .expired(let stored, _): stored
    case .hit, .updating, .stale, .revalidated: true
    case .bypass, .method: false
    }
  }

  /// Whether the origin was asked as the client asked, with its conditions and its range.
  package var isForwarded: Bool {
    switch self {
    case .bypass, .method: true
    case .hit, .updating, .stale, .revalidated, .expired, .miss: false
    }
  }

  /// For `X-Cache-Status` and metrics.
  package var word: String {
    switch self {
    case .hit: "HIT"
    case .updating: "UPDATING"
    case .stale: "STALE"
    case .revalidated: "REVALIDATED"
    case .expired: "EXPIRED"
    // The origin was not asked for it once more.
    case .miss(_, let collapsed): collapsed ? "HIT" : "MISS"
    case .bypass, .method: "BYPASS"
    }
  }

  /// What stands in `Cache-Status`.
  ///
  /// - Parameter name: the cache's, a token.
  /// - Returns: one member of the list.
  package func status(of name: String) -> String {
    switch self {
    case .hit(let ttl): "\(name); hit; ttl=\(ttl)"
    case .updating(let ttl): "\(name); hit; ttl=\(ttl); detail=updating"
    case .stale(let ttl): "\(name); hit; ttl=\(ttl); detail=stale"
    case .revalidated(let ttl): "\(name); fwd=stale; fwd-status=304; ttl=\(ttl); stored"
    case .expired(let stored, let status):
      "\(name); fwd=stale; fwd-status=\(status)\(stored ? "; stored" : "")"
    case .miss(let stored, let collapsed):
      "\(name); fwd=uri-miss\(stored ? "; stored" : "")\(collapsed ? "; collapsed" : "")"
    case .bypass: "\(name); fwd=bypass"
    case .method: "\(name); fwd=method"
    }
  }
}

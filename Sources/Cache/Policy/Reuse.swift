/// What becomes of a request for which something is stored (RFC 9111, 4).
package enum Reuse: Equatable, Sendable {
  /// It is answered from what is stored.
  case fresh
  /// It is answered from what is stored, which is asked for anew meanwhile.
  case staleWhileRevalidate
  /// It is answered from what is stored though that is stale: the client said that it may.
  case staleAllowed
  /// The origin is asked whether what is stored is still true.
  case validate
  /// Nothing stored may be used, and nothing may be stored.
  case bypass
  /// The client wants only what is stored, and nothing may be used: 504.
  case unavailable

  /// Decides.
  ///
  /// - Parameters:
  ///   - freshness: of what is stored; nil where nothing is.
  ///   - request: the client's directives.
  ///   - rules: whether those count.
  ///   - now: seconds since 1970.
  package init(
    _ freshness: Freshness?, for request: RequestDirectives, rules: CacheRules, at now: Int64
  ) {
    let asked = rules.honoursClients ? request.directives : CacheDirectives()
    guard !asked.noStore else {
      self = .bypass
      return
    }
    guard let freshness else {
      self = asked.onlyIfCached ? .unavailable : .validate
      return
    }
    let isAskedAnew =
      asked.noCache || (rules.honoursClients && request.saysPragmaNoCache)
      || asked.maxAge.map { freshness.age(at: now) > $0 } ?? false
      || asked.minFresh.map { freshness.remaining(at: now) < $0 } ?? false
    let staleness = -freshness.remaining(at: now)
    if !isAskedAnew, freshness.isFresh(at: now) {
      self = .fresh
    } else if !isAskedAnew, !freshness.forbidsStale,
      asked.maxStale.map({ staleness <= $0 }) ?? false
    {
      self = .staleAllowed
    } else if asked.onlyIfCached {
      self = .unavailable
    } else if !isAskedAnew, !freshness.alwaysValidates,
      staleness < freshness.staleWhileRevalidate
    {
      self = .staleWhileRevalidate
    } else {
      self = .validate
    }
  }
}

extension Freshness {
  /// Whether a stale response stands in for an origin that can't answer (RFC 9111, 4.2.4).
  package func mayStandIn(at now: Int64) -> Bool {
    !forbidsStale && -remaining(at: now) < staleIfError
  }
}

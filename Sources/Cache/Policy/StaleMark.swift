/// Says of a stored object that it is stale, whatever it says of itself.
package struct StaleMark: Hashable, Sendable {
  /// Since when, in seconds since 1970.
  package var since: Int64
  /// Whether it may not be the object any more: nobody gets it before the origin has confirmed it.
  package var isDoubted: Bool

  package init(since: Int64, isDoubted: Bool = false) {
    self.since = since
    self.isDoubted = isDoubted
  }
}

extension Freshness {
  /// The same for an object that was marked.
  ///
  /// - Parameters:
  ///   - mark: when, and how.
  ///   - grace: seconds for which it may be served at least, while it is asked for anew or where
  ///     that fails; the origin's own ban on anything stale goes before it.
  /// - Returns: what is stale from then on.
  package func marked(_ mark: StaleMark, grace: Int64) -> Freshness {
    var marked = self
    marked.lifetime = min(lifetime, age(at: mark.since))
    if mark.isDoubted {
      marked.forbidsStale = true
      marked.staleWhileRevalidate = 0
      marked.staleIfError = 0
    } else if !forbidsStale {
      marked.staleWhileRevalidate = max(staleWhileRevalidate, grace)
      marked.staleIfError = max(staleIfError, grace)
    }
    return marked
  }
}

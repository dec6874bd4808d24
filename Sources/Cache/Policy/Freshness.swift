import HTTPSemantics
package import HTTPTypes

/// How long a stored response may be used, and how old it is (RFC 9111, 4.2).
///
/// Times are seconds since 1970, by a clock of the node's that doesn't go back. Where one did,
/// between two processes, nothing becomes fresh again by that: an age never falls below what it was
/// when the response came.
package struct Freshness: Equatable, Sendable, Codable {
  /// Seconds for which it is fresh, from its making.
  package var lifetime: Int64
  /// Whether the origin said so; else it is a guess.
  package var isExplicit: Bool
  /// Seconds after its lifetime for which it is served while it is asked for anew (RFC 5861, 3).
  package var staleWhileRevalidate: Int64
  /// Seconds after its lifetime for which it is served where the origin can't answer (RFC 5861, 4).
  package var staleIfError: Int64
  /// Whether it is never served stale, whatever the client allows (5.2.2.2, 5.2.2.8).
  package var forbidsStale: Bool
  /// Whether the origin is asked before each use (5.2.2.4).
  package var alwaysValidates: Bool
  /// How old it was when it came.
  package var initialAge: Int64
  /// When it came.
  package var receivedAt: Int64

  /// How old it is.
  package func age(at now: Int64) -> Int64 {
    min(CacheDirectives.longest, initialAge + max(0, now - receivedAt))
  }

  /// Seconds for which it is fresh yet; 0 and less where it is stale.
  package func remaining(at now: Int64) -> Int64 { lifetime - age(at: now) }

  package func isFresh(at now: Int64) -> Bool { !alwaysValidates && remaining(at: now) > 0 }

  /// Reads it from a response.
  ///
  /// - Parameters:
  ///   - response: its final head.
  ///   - requestedAt: when it was asked for.
  ///   - receivedAt: when its head had come.
  ///   - wall: the same moment by the clock that dates of others are held against; nil where that
  ///     is no other one.
  ///   - rules: how long is guessed where nothing is said.
  package init(
    _ response: HTTPResponse, requestedAt: Int64, receivedAt: Int64, wall: Int64? = nil,
    rules: CacheRules
  ) {
    let fields = response.headerFields
    let said = ResponseDirectives(fields)
    let wall = wall ?? receivedAt
    let date = fields.date(.date) ?? wall
    let apparent = max(0, wall - date)
    let corrected = Freshness.ageField(fields) + max(0, receivedAt - requestedAt)
    initialAge = min(CacheDirectives.longest, max(apparent, corrected))
    self.receivedAt = receivedAt
    if let explicit = Freshness.explicitLifetime(fields, said, date: date) {
      lifetime = explicit
      isExplicit = true
    } else {
      lifetime = rules.heuristicLifetime(of: response, date: date, directives: said.directives)
      isExplicit = false
    }
    let directives = said.directives
    forbidsStale =
      directives.mustRevalidate || directives.proxyRevalidate || directives.noCache
      || directives.sharedMaxAge != nil
    alwaysValidates = directives.noCache
    staleWhileRevalidate = forbidsStale ? 0 : directives.staleWhileRevalidate ?? 0
    staleIfError = forbidsStale ? 0 : directives.staleIfError ?? rules.staleIfError
  }

  /// What the origin says: targeted, for shared caches, for all, or a date (4.2.1).
  private static func explicitLifetime(
    _ fields: HTTPFields, _ said: ResponseDirectives, date: Int64
  ) -> Int64? {
    if let seconds = said.directives.sharedMaxAge ?? said.directives.maxAge { return seconds }
    guard !said.isTargeted, fields.contains(.expires) else { return nil }
    // A date that is none, and more than one, is in the past (5.3).
    let values = fields[values: .expires]
    guard values.count == 1, let expires = fields.date(.expires) else { return 0 }
    return max(0, min(CacheDirectives.longest, expires - date))
  }

  /// The age that the response says it has: the first number, where it is one (5.1).
  private static func ageField(_ fields: HTTPFields) -> Int64 {
    guard let first = fields[values: .age].first else { return 0 }
    let text = first.prefix { $0 != "," }.trimmingBlanks()
    // A parameter is ignored; what stands before it is the number.
    let number = text.prefix { $0 != ";" }.trimmingBlanks()
    return CacheDirectives.seconds(Array(number.utf8)) ?? 0
  }
}

extension HTTPFields {
  /// The date that a field says, in seconds since 1970; nil without one, or where it is none.
  func date(_ name: HTTPField.Name) -> Int64? {
    guard let text = self[values: name].first else { return nil }
    let bytes = Array(text.utf8)
    return HTTPDate(bytes.span)?.seconds
  }
}

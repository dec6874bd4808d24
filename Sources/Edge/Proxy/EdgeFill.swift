import Cache
import HTTPTypes

/// A response that is on its way.
final class EdgeFill: Sendable {
  /// Without fields of a connection.
  let response: HTTPResponse
  let freshness: Freshness
  let body: FillBody
  let outcome: CacheOutcome
  /// Whether it is for all who wait for it, kept or not.
  private let isForAll: Bool
  /// What it was asked by, with which fields, and when.
  let name: String
  private let asked: HTTPFields
  private let since: PurgeLog.Moment

  init(
    _ response: HTTPResponse, to order: EdgeFetch.Order, freshness: Freshness, body: FillBody,
    outcome: CacheOutcome, isForAll: Bool
  ) {
    self.isForAll = isForAll
    name = order.name
    asked = order.request.headerFields
    since = order.since
    self.response = response
    self.freshness = freshness
    self.body = body
    self.outcome = outcome
  }

  /// Of the body, where the origin says it.
  var length: Int? { response.headerFields[.contentLength].flatMap { Int($0) } }

  /// Whether a request that comes now may have it: one that is whole by now, and will be stored in a
  /// moment, only as long as it is fresh.
  func mayBeJoined(at now: Int64) -> Bool {
    body.progress.end == .open || freshness.isFresh(at: now)
  }

  /// Whether it was purged since it was asked for: then it is only for those who asked before.
  func isPurged(in log: PurgeLog) -> Bool {
    log.isPurged(name, tags: { EdgeStore.tags(name, response.headerFields) }, since: since)
  }

  /// Whether another request gets the same response: it is for all, and chosen by the same fields.
  ///
  /// - Parameter fields: of that request.
  /// - Returns: false also where nobody can tell.
  func isFor(_ fields: HTTPFields) -> Bool {
    guard isForAll, let rule = VaryRule(response.headerFields) else { return false }
    return rule.isEmpty || rule.key(of: fields) == rule.key(of: asked)
  }
}

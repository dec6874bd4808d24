import Cache
import HTTPSemantics
import HTTPServer
import HTTPTypes
import Synchronization

/// A response that is on its way.
final class EdgeFill: Sendable {
  /// What was sent last, and when: an age changes once a second.
  private struct Sent: Sendable {
    var age: Int64
    var outcome: CacheOutcome
    var head: HeaderBlock
  }

  /// Without fields of a connection.
  let response: HTTPResponse
  /// Of the response, which would read it anew each time.
  let status: Int
  let freshness: Freshness
  let body: FillBody
  let outcome: CacheOutcome
  /// Whether it is for all who wait for it, kept or not.
  private let isForAll: Bool
  /// By which fields of requests it was chosen; nil where nobody can tell.
  private let rule: VaryRule?
  /// What it was asked by, with which fields, and when.
  let name: String
  private let asked: HTTPFields
  private let since: PurgeLog.Moment
  /// Of the body, where the origin says it.
  let length: Int?
  private let sent = Mutex<Sent?>(nil)

  init(
    _ response: HTTPResponse, to order: EdgeFetch.Order, freshness: Freshness, body: FillBody,
    outcome: CacheOutcome, isForAll: Bool
  ) {
    self.isForAll = isForAll
    name = order.name
    asked = order.request.headerFields
    since = order.since
    self.response = response
    status = response.status.code
    rule = VaryRule(response.headerFields)
    self.freshness = freshness
    self.body = body
    self.outcome = outcome
    length = response.headerFields[.contentLength].flatMap { Int($0) }
  }

  /// Its fields as they are sent, but for Content-Length.
  func fields(
    _ outcome: CacheOutcome, of cache: String, at now: Int64
  ) -> [(name: String, value: String)] {
    let age = freshness.age(at: now)
    return EdgeFields.list(response.headerFields, age: age > 0 ? age : nil, outcome, of: cache)
  }

  /// The head of the whole.
  ///
  /// - Parameters:
  ///   - outcome: what the cache did.
  ///   - cache: its name.
  ///   - now: seconds since 1970.
  /// - Returns: the same for all that ask within a second: a crowd waits for it.
  func head(_ outcome: CacheOutcome, of cache: String, at now: Int64) -> HeaderBlock {
    let age = freshness.age(at: now)
    let known = sent.withLock { $0 }
    if let known, known.age == age, known.outcome == outcome { return known.head }
    let made = StreamedResponse.head(
      status: status, fields: fields(outcome, of: cache, at: now),
      contentLength: length)
    sent.withLock { $0 = Sent(age: age, outcome: outcome, head: made) }
    return made
  }

  /// Whether a request that comes now may have it: one that is whole by now, and will be stored in
  /// a moment, only as long as it is fresh; one that broke off is only for those who asked before.
  func mayBeJoined(at now: Int64) -> Bool {
    switch body.progress.end {
    case .open: body.isAllThere
    case .complete: freshness.isFresh(at: now)
    case .failed: false
    }
  }

  /// Whether it was purged since it was asked for: then it is only for those who asked before.
  func isPurged(in log: PurgeLog) -> Bool {
    log.isPurged(name, tags: { EdgeStore.tags(name, response.headerFields) }, since: since)
  }

  /// Whether another request gets the same response: it is for all, and chosen by the same fields.
  ///
  /// An error that isn't kept is for all who say as little of who they are as the one that it was
  /// for: a stranger's 401 says nothing of one who has a key.
  ///
  /// - Parameter order: of that request.
  /// - Returns: false also where nobody can tell.
  func isFor(_ order: EdgeFetch.Order) -> Bool {
    guard isForAll, let rule, !isStrangers(to: order) else { return false }
    let fields = order.request.headerFields
    return rule.isEmpty || rule.key(of: fields) == rule.key(of: asked)
  }

  /// Whether it is an error that is for all but those who say who they are, as this request does.
  func isStrangers(to order: EdgeFetch.Order) -> Bool {
    isForAll && !outcome.isStored && !order.isAnybodys
  }
}

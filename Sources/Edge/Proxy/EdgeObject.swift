import Cache
import HTTPSemantics
import HTTPServer
import HTTPTypes
import Synchronization

/// A response that is kept whole, as it is handed on.
final class EdgeObject: Sendable {
  /// What was sent last, and when: an age changes once a second.
  private struct Sent: Sendable {
    var age: Int64
    var outcome: CacheOutcome
    var response: PreparedResponse
  }

  /// What it was asked by: `host/path?query`.
  let name: String
  let response: HTTPResponse
  let body: [UInt8]
  let freshness: Freshness
  private let validators: Validators
  private let sent = Mutex<Sent?>(nil)

  /// - Parameters:
  ///   - name: what it was asked by.
  ///   - response: without fields of a connection.
  ///   - body: all of it.
  ///   - freshness: of the response.
  init(_ name: String, _ response: HTTPResponse, body: [UInt8], freshness: Freshness) {
    self.name = name
    self.response = response
    self.body = body
    self.freshness = freshness
    validators = EdgeFields.validators(response.headerFields)
  }

  /// What it takes in memory, about.
  var bytes: Int {
    body.count + 1_024
      + response.headerFields.reduce(0) {
        $0 + $1.name.rawName.utf8.count + $1.value.utf8.count + 64
      }
  }

  /// The same, stale.
  func marked(_ mark: StaleMark, grace: Int64) -> EdgeObject {
    EdgeObject(name, response, body: body, freshness: freshness.marked(mark, grace: grace))
  }

  /// As a client gets it.
  ///
  /// - Parameters:
  ///   - outcome: what the cache did.
  ///   - cache: its name.
  ///   - now: seconds since 1970.
  /// - Returns: the same for all that ask within a second.
  func prepared(_ outcome: CacheOutcome, of cache: String, at now: Int64) -> PreparedResponse {
    let age = freshness.age(at: now)
    let known = sent.withLock { $0 }
    if let known, known.age == age, known.outcome == outcome { return known.response }
    let made = PreparedResponse(
      forwarding: response.status.code,
      fields: EdgeFields.list(response.headerFields, age: age, outcome, of: cache), body: body,
      validators: validators)
    sent.withLock { $0 = Sent(age: age, outcome: outcome, response: made) }
    return made
  }
}

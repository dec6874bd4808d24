import HTTPSemantics
import HTTPTypes

@testable import Cache

/// Heads for tests.
enum Answers {
  /// When all of them were asked for and came.
  static let now: Int64 = 1_700_000_000

  static func fields(_ pairs: [(String, String)]) -> HTTPFields {
    var fields = HTTPFields()
    for (name, value) in pairs {
      if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    return fields
  }

  static func response(_ status: Int = 200, _ pairs: [(String, String)]) -> HTTPResponse {
    HTTPResponse(status: .init(code: status), headerFields: fields(pairs))
  }

  static func request(
    _ method: HTTPRequest.Method = .get, _ pairs: [(String, String)] = []
  ) -> HTTPRequest {
    HTTPRequest(
      method: method, scheme: "https", authority: "example.com", path: "/",
      headerFields: fields(pairs))
  }

  static func freshness(
    _ status: Int, _ pairs: [(String, String)], rules: CacheRules = CacheRules(),
    delay: Int64 = 0
  ) -> Freshness {
    Freshness(
      response(status, pairs), requestedAt: now - delay, receivedAt: now, rules: rules)
  }

  static func freshness(
    _ pairs: [(String, String)], delay: Int64 = 0
  ) -> Freshness { freshness(200, pairs, delay: delay) }

  /// A date so many seconds after `now`.
  static func date(_ seconds: Int64) -> String {
    String(decoding: HTTPDate(seconds: now + seconds).bytes, as: UTF8.self)
  }
}

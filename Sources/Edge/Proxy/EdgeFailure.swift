import HTTPClient
import HTTPServer
import HTTPTypes

/// Why the origin gave nothing; the words go to viewers, and name no server.
enum EdgeFailure: Error, Sendable {
  case unreachable(String)
  case late(String)
  /// Only one node has it, and that can't be asked now.
  case away(String)
  /// There is nobody to ask, so nobody can say whether there is such a thing.
  case nobody(String)
  /// Nobody is left who could have it.
  case absent

  init(_ problem: HTTPClientError) {
    self = problem.code == .timedOut ? Self.tookTooLong : Self.gaveNoAnswer
  }

  static let gaveNoAnswer = EdgeFailure.unreachable(
    "The origin gave no answer; ask again in a moment.")
  static let tookTooLong = EdgeFailure.late(
    "The origin took too long to answer; ask again in a moment.")

  /// Seconds after which it may be asked for again: about as long as another origin takes to go on.
  static let retryAfter = "2"

  var status: Int {
    switch self {
    case .unreachable: 502
    case .late: 504
    case .away, .nobody: 503
    case .absent: 404
    }
  }

  /// A stable word.
  var code: String {
    switch self {
    case .unreachable, .late: "origin_failed"
    case .away: "node_away"
    case .nobody: "no_origin"
    case .absent: "not_found"
    }
  }

  var words: String {
    switch self {
    case .unreachable(let words), .late(let words), .away(let words), .nobody(let words): words
    case .absent: "There is no such thing, or nobody has it any more."
    }
  }

  /// What who asked gets: never stored, and with a word on when to ask again, but where it is gone.
  var response: PreparedResponse {
    guard case .absent = self else { return Self.response(status, code: code, words) }
    return .error(status, code: code, message: words, cacheControl: "max-age=1")
  }

  /// The same to who asked this: a page where that is a browser that wanted the player's.
  func response(to request: HTTPRequest) -> PreparedResponse {
    ReturningPage.isWanted(by: request) ? ReturningPage.response(status) : response
  }

  /// The same from asynchronous code.
  var apiResponse: APIResponse {
    var answer = APIResponse.error(.init(code: status), code: code, message: words)
    answer.response.headerFields[.retryAfter] = Self.retryAfter
    return answer
  }

  /// An error that may be gone in a moment.
  ///
  /// - Parameters:
  ///   - status: 502, 503 or 504.
  ///   - code: a stable word.
  ///   - words: for a person.
  /// - Returns: the answer, which says when to ask again.
  static func response(_ status: Int, code: String, _ words: String) -> PreparedResponse {
    .error(status, code: code, message: words, fields: [("retry-after", retryAfter)])
  }
}

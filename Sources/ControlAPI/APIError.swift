package import Access
import Foundation
import HTTPServer
import HTTPTypes
import Store

/// Why a call is refused: `{"error": {"code": "...", "message": "..."}}`.
package struct APIError: Error, Sendable, Equatable {
  package let status: Int
  /// A stable word.
  package let code: String
  /// For a person; never holds a token.
  package let message: String

  /// Seconds after which the call may be tried again.
  package let retryAfter: Int64?

  package init(_ status: Int, _ code: String, _ message: String, retryAfter: Int64? = nil) {
    self.status = status
    self.retryAfter = retryAfter
    self.code = code
    self.message = message
  }

  package init(_ refusal: Refusal) {
    self.init(refusal.httpStatus, refusal.code, refusal.description)
  }

  /// 503: what a call has asked for can't be kept, or read, now.
  ///
  /// - Parameters:
  ///   - code: a stable word.
  ///   - what: what can't be done, in words that end before the full stop.
  ///   - error: of what keeps it. Its own words are for the log: they name addresses and files.
  /// - Returns: with what is away, and what to do.
  static func unavailable(_ code: String, _ what: String, _ error: any Error) -> APIError {
    let why =
      switch error as? StoreError {
      case .unreachable:
        "this node doesn't reach Redis (redis.url), where the nodes of its cluster keep it. See to"
          + " Redis or to the way there and try again; it may have been done all the same."
      case .full: "there is no room to write it. Make room (the log says where), then try again."
      case .stalled, .busy:
        "what keeps it (Redis in a cluster, else the disk of data.path) gives no answer in time. Try"
          + " again; it may have been done all the same."
      case .damaged, .failed, .fenced, nil: "the node's log says why."
      }
    return APIError(503, code, "\(what): \(why)", retryAfter: 5)
  }

  var response: APIResponse {
    struct Envelope: Encodable {
      struct Inner: Encodable {
        let code: String
        let message: String
      }
      let error: Inner
    }
    let body = Envelope(error: .init(code: code, message: message))
    var answer = APIResponse.json(body, status: .init(code: status))
    if let retryAfter { answer.response.headerFields[.retryAfter] = "\(retryAfter)" }
    if status == 401 { answer.response.headerFields[.wwwAuthenticate] = "Bearer" }
    return answer
  }
}

extension APIResponse {
  /// An answer whose keys are in snake_case and sorted.
  static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> APIResponse {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Encoding our own plain structs can't fail; were it to, an empty 500 tells so.
    guard let body = try? encoder.encode(value) else {
      return .json(.internalServerError, [])
    }
    return .json(status, Array(body))
  }
}

package import Access
import Foundation
import HTTPServer
import HTTPTypes

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

package import HTTPSemantics
import HTTPTypes

/// The answer to methods that an address doesn't take (RFC 9110, 15.5.6): it names the one that was
/// used and, in `Allow` too, those that there are.
package struct WrongMethod: Sendable {
  static let code = "method_not_allowed"

  /// By the raw values of methods, made once.
  private let responses: [PreparedResponse]

  /// Makes the answers of an address.
  ///
  /// - Parameter allowed: the methods that it takes.
  package init(allowed: Method...) {
    let names = allowed.compactMap(\.name)
    responses = Method.allCases.map { method in
      .error(
        405, code: Self.code, message: Self.message(method.name ?? "This method", names),
        fields: [("allow", names.joined(separator: ", "))])
    }
  }

  /// The answer to a request with another method.
  package func response(to method: Method) -> PreparedResponse { responses[Int(method.rawValue)] }

  /// Says to a person what isn't taken, and what is.
  package static func message(_ method: String, _ allowed: [String]) -> String {
    guard let last = allowed.last else { return "\(method) isn't taken here, nor is any other." }
    let others = allowed.dropLast().joined(separator: ", ")
    return others.isEmpty
      ? "\(method) isn't taken here; \(last) is."
      : "\(method) isn't taken here; \(others) and \(last) are."
  }
}

extension APIResponse {
  /// The same from asynchronous code.
  ///
  /// - Parameters:
  ///   - method: that was used.
  ///   - allowed: those that the address takes.
  ///   - more: a sentence on how it is asked.
  /// - Returns: a 405.
  package static func wrongMethod(
    _ method: String, allowed: [String], _ more: String = ""
  ) -> APIResponse {
    let words = WrongMethod.message(method, allowed)
    var answer = APIResponse.error(
      .methodNotAllowed, code: WrongMethod.code,
      message: more.isEmpty ? words : "\(words) \(more)")
    answer.response.headerFields[.allow] = allowed.joined(separator: ", ")
    return answer
  }
}

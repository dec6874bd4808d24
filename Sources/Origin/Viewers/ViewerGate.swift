import HTTPSemantics
import HTTPServer
package import Media

/// Decides who may watch, at once where the token has been seen before.
package final class ViewerGate {
  /// What became of a viewer's request.
  enum Verdict {
    /// It may be answered; the addresses in a playlist get this query.
    case allowed(query: [UInt8])
    case refused(PreparedResponse)
    /// The token is new: the request is answered once it has been verified.
    case undecided(Pending)
  }

  /// A token on its way to be verified.
  struct Pending: Sendable {
    let token: String
    let isFromQuery: Bool
    let verify: @Sendable (String, StreamKey) async -> Decision
  }

  /// What is known of a token.
  package enum Decision: Sendable {
    case allowed
    /// With a sentence for the viewer.
    case refused(status: Int, code: String, message: String)
    /// Not seen before: to be verified.
    case unknown
  }

  /// Who looks at tokens.
  package struct Checks {
    /// From memory, on the loop.
    package let known: (String, StreamKey) -> Decision
    /// By verifying it; remembers the outcome for `known`.
    package let verify: @Sendable (String, StreamKey) async -> Decision

    package init(
      known: @escaping (String, StreamKey) -> Decision,
      verify: @escaping @Sendable (String, StreamKey) async -> Decision
    ) {
      self.known = known
      self.verify = verify
    }
  }

  private static let noToken = PreparedResponse.error(
    401, code: "token_required",
    message: "This stream needs a viewer token: ?token=…, Authorization: Bearer or a cookie.",
    fields: [("www-authenticate", "Bearer"), ("access-control-allow-origin", "*")])

  private let checks: Checks?

  /// Makes a gate.
  ///
  /// - Parameter checks: nil where everybody may watch.
  package init(checks: Checks?) { self.checks = checks }

  func check(_ request: borrowing Request, _ key: StreamKey) -> Verdict {
    guard let checks else { return .allowed(query: []) }
    let fromQuery = request.queryValue("token")
    guard let token = fromQuery ?? request.bearerToken ?? request.cookie("token") else {
      return .refused(Self.noToken)
    }
    switch checks.known(token, key) {
    case .allowed:
      // A cookie or a header goes with every request by itself; a query has to be handed on.
      return .allowed(query: fromQuery == nil ? [] : Self.query(token))
    case .refused(let status, let code, let message):
      return .refused(Self.refusal(status, code, message))
    case .unknown:
      let isFromQuery = fromQuery != nil
      return .undecided(Pending(token: token, isFromQuery: isFromQuery, verify: checks.verify))
    }
  }

  /// What addresses in a playlist carry on; a verified token has only characters that may stand there.
  static func query(_ token: String) -> [UInt8] { Array("token=\(token)".utf8) }

  static func refusal(_ status: Int, _ code: String, _ message: String) -> PreparedResponse {
    .error(
      status, code: code, message: message, fields: [("access-control-allow-origin", "*")])
  }
}

package import Access
package import ControlAPI
import HTTPSemantics
import HTTPServer
import Media
import Telemetry

/// Who gets a playlist: everybody the same one, or the holder of a token.
enum Audience: Equatable {
  case everybody
  /// With a query, the token is handed on in the addresses of the playlist; a cookie or a header
  /// goes with every request by itself.
  case holder(token: [UInt8], inQuery: Bool)
}

/// Decides who may watch; one for each loop.
package final class ViewerGate {
  /// What became of a viewer's request.
  enum Verdict {
    /// The number is the viewer's plan.
    case allowed(Audience, Plans.Number)
    case refused(PreparedResponse)
  }

  private static let noToken = PreparedResponse.error(
    401, code: "token_missing",
    message: "This stream needs a viewer token: ?token=…, Authorization: Bearer, or a cookie "
      + "named token.",
    fields: [("www-authenticate", "Bearer")])

  private var tokens: VerifiedTokens?
  /// Whether nobody may watch without a token.
  let needsToken: Bool
  /// Weddings that ordinary tokens don't open.
  package var locked: Set<String> = []
  private let plans: Plans
  private let choices: ViewerChoices?

  /// Makes a gate.
  ///
  /// - Parameters:
  ///   - tokens: the loop's memory of tokens; without one everybody may watch what isn't locked.
  ///   - needsToken: whether nobody may watch without one.
  ///   - plans: which qualities those have whose tokens name one.
  ///   - choices: which quality each viewer wants first.
  package init(
    tokens: VerifiedTokens?, needsToken: Bool = true, plans: Plans = Plans(),
    choices: ViewerChoices? = nil
  ) {
    self.choices = choices
    self.tokens = tokens
    self.needsToken = needsToken && tokens != nil
    self.plans = plans
  }

  /// Looks at a request's token.
  ///
  /// - Parameters:
  ///   - request: the query comes first, then the header, then the cookie.
  ///   - key: what it wants to watch.
  ///   - isProgram: whether it asked for the program: a token for that is good then, too.
  /// - Returns: what to do with it.
  func check(
    _ request: borrowing Request, _ key: StreamKey, isProgram: Bool = false
  ) -> Verdict {
    let isLocked = !locked.isEmpty && locked.contains(key.wedding)
    guard needsToken || isLocked else { return .allowed(.everybody, 0) }
    let fromQuery = request.queryValue("token")
    guard let token = fromQuery ?? Self.besidesQuery(request) else {
      return .refused(Self.noToken)
    }
    let bytes = Array(token.utf8)
    var plan = 0
    do throws(Refusal) {
      let claims = try claims(of: bytes, key, isLocked: isLocked, isProgram: isProgram)
      // Without keys to verify with nobody's token opens it.
      if isLocked, claims == nil { throw Refusal(.locked) }
      // Where watching is public, nobody's plan limits it.
      if needsToken { plan = plans.number(ofViewer: claims?.plan) }
    } catch {
      return .refused(.error(error.httpStatus, code: error.code, message: "\(error)"))
    }
    return .allowed(.holder(token: bytes, inQuery: fromQuery != nil), plan)
  }

  /// Looks once more at somebody who has been waiting: the wedding may be locked by now.
  ///
  /// - Returns: nil where they may still watch.
  func refusal(
    of audience: Audience, _ key: StreamKey, isProgram: Bool
  ) -> PreparedResponse? {
    guard !locked.isEmpty, locked.contains(key.wedding) else { return nil }
    guard case .holder(let token, _) = audience else { return Self.noToken }
    do throws(Refusal) {
      if try claims(of: token, key, isLocked: true, isProgram: isProgram) != nil { return nil }
      throw Refusal(.locked)
    } catch {
      return .error(error.httpStatus, code: error.code, message: "\(error)")
    }
  }

  private func claims(
    of token: [UInt8], _ key: StreamKey, isLocked: Bool, isProgram: Bool
  ) throws(Refusal) -> Claims? {
    let now = LogTime.now.milliseconds / 1_000
    func accept(_ camera: String) throws(Refusal) -> Claims? {
      try tokens?.accept(
        token.span, for: .watch(wedding: key.wedding, camera: camera, isLocked: isLocked), now: now)
    }
    do throws(Refusal) {
      return try accept(key.camera)
    } catch {
      guard isProgram, error.reason == .otherCamera else { throw error }
      return try accept(Claims.programCamera)
    }
  }

  /// Whether viewers of a plan may have a quality.
  func allows(_ quality: String, in plan: Plans.Number) -> Bool { plans.allows(quality, in: plan) }

  private static func besidesQuery(_ request: borrowing Request) -> String? {
    request.bearerToken ?? request.cookie("token")
  }

  /// The quality that a viewer has chosen to see first; nil for most.
  ///
  /// Also where watching is public: the token itself then says who it is.
  func choice(_ request: borrowing Request, _ key: StreamKey) -> String? {
    guard let choices, let token = request.queryValue("token") ?? Self.besidesQuery(request) else {
      return nil
    }
    guard needsToken else { return choices.quality(for: token, of: key.wedding) }
    let claims = try? tokens?.claims(
      of: Array(token.utf8).span, now: LogTime.now.milliseconds / 1_000)
    return choices.quality(for: claims?.subject ?? token, of: key.wedding)
  }
}

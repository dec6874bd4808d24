/// Why a token is not accepted, in words for the person who sent it; never holds the token.
package struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    case missing, tooLong, malformed, unsupportedAlgorithm, unknownKey, badSignature
    /// It is signed by a key of a set that could not be read yet.
    case keysUnavailable
    /// The signature is good, but a claim is absent or of the wrong kind.
    case badClaim(String)
    case expired(seconds: Int64)
    /// Seconds since 1970.
    case notYetValid(at: Int64)
    case otherScope(has: Scope, needed: Scope)
    case otherWedding, otherCamera
    /// What is asked for is in another plan.
    case otherPlan
    /// The wedding is locked, and the token is not good for that.
    case locked
    /// WedLive's backend said no.
    case byBackend(status: Int)
    /// WedLive's backend could not be asked, or failed, and the rule is to refuse then.
    case backendSilent
  }

  package let reason: Reason

  package init(_ reason: Reason) { self.reason = reason }

  /// A stable word for JSON, metrics and logs.
  package var code: String {
    switch reason {
    case .missing: "token_missing"
    case .tooLong, .malformed: "token_malformed"
    case .unsupportedAlgorithm: "token_algorithm"
    case .unknownKey: "token_unknown_key"
    case .badSignature: "token_signature"
    case .keysUnavailable: "token_keys_unavailable"
    case .badClaim: "token_claim"
    case .expired: "token_expired"
    case .notYetValid: "token_not_yet_valid"
    case .otherScope: "token_scope"
    case .otherWedding: "token_wedding"
    case .otherCamera: "token_camera"
    case .otherPlan: "not_in_plan"
    case .locked: "locked"
    case .byBackend: "refused_by_backend"
    case .backendSilent: "backend_unavailable"
    }
  }

  /// 401: come with another token; 403: this one is real and does not allow it; 503: ask later.
  package var httpStatus: Int {
    switch reason {
    case .otherScope, .otherWedding, .otherCamera, .otherPlan, .locked, .byBackend: 403
    case .backendSilent, .keysUnavailable: 503
    default: 401
    }
  }

  package var description: String {
    switch reason {
    case .missing: "a token is needed and none was given"
    case .tooLong: "the token is longer than any valid one"
    case .malformed: "the token is malformed; perhaps it was not copied whole"
    case .unsupportedAlgorithm: "the token is signed by an algorithm that is not accepted here"
    case .unknownKey: "the token is signed by a key that is not known here"
    case .badSignature:
      "the token's signature is wrong: it was made with another secret or key than this node knows"
    case .keysUnavailable: "the keys that such tokens are checked by can't be read yet; try again"
    case .badClaim(let what): "the token is not valid: \(what)"
    case .expired(let seconds): "the token expired \(Refusal.span(seconds)) ago"
    case .notYetValid(let at): "the token is not valid until \(Refusal.time(at))"
    case .otherScope(let has, let needed):
      "the token is for \(has.rawValue), not for \(needed.rawValue)"
    case .otherWedding: "the token is for another wedding"
    case .otherCamera: "the token is for another camera"
    case .otherPlan: "this quality is not in the plan; watch over HLS, which has those that are"
    case .locked: "this wedding is locked; only tokens that were made for that open it"
    case .byBackend(let status) where (300..<400).contains(status):
      "the backend answered with a redirect (status \(status)), which is not followed here"
    case .byBackend(let status): "the backend refused it (status \(status))"
    case .backendSilent: "the backend that decides gave no answer; try again"
    }
  }

  private static func span(_ seconds: Int64) -> String {
    switch max(0, seconds) {
    case ..<120: "\(max(0, seconds)) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) days"
    }
  }
}

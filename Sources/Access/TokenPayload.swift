import Foundation
import JWTKit

/// The claims as they stand in a token's JSON.
struct TokenPayload: Codable {
  var wedding: String?
  var camera: String?
  var scope: String?
  var plan: String?
  var sub: String?
  var exp: Double?
  var nbf: Double?
  var iat: Double?
  var priority: Int?
  var unlocked: Bool?

  init(_ claims: Claims, issued: Int64) {
    wedding = claims.wedding
    camera = claims.camera
    scope = claims.scope.rawValue
    plan = claims.plan
    sub = claims.subject
    exp = Double(claims.expires)
    nbf = claims.notBefore.map(Double.init)
    iat = Double(issued)
    priority = claims.priority == 0 ? nil : claims.priority
    unlocked = claims.unlocked ? true : nil
  }

  /// The claims, checked.
  ///
  /// - Throws: `.badClaim`, which says which and never repeats its value.
  func claims() throws(Refusal) -> Claims {
    guard let scope = scope.flatMap(Scope.init) else {
      throw Refusal(.badClaim("its scope is none of publish, watch and service"))
    }
    guard let exp, let expires = TokenPayload.seconds(exp) else {
      throw Refusal(.badClaim("it says no time at which it expires (exp)"))
    }
    var notBefore: Int64?
    if let nbf {
      guard let seconds = TokenPayload.seconds(nbf) else {
        throw Refusal(.badClaim("its nbf is no time"))
      }
      notBefore = seconds
    }
    if wedding == nil, scope != .service { throw Refusal(.badClaim("it names no wedding")) }
    for (name, claim) in [("wedding", wedding), ("camera", camera)] {
      if let claim, !Claims.isName(claim) {
        throw Refusal(.badClaim("its \(name) has a character that no name may have"))
      }
    }
    return Claims(
      scope: scope, wedding: wedding, camera: camera, plan: plan, subject: sub, expires: expires,
      notBefore: notBefore, priority: priority ?? 0, unlocked: unlocked ?? false)
  }

  /// A NumericDate in whole seconds, within the years that can be written.
  private static func seconds(_ date: Double) -> Int64? {
    date >= 0 && date < 1e15 ? Int64(date) : nil
  }
}

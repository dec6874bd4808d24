import Access
import Foundation

/// A secret, its issuer and its verifier, at a fixed time.
struct Tokens {
  static let now: Int64 = 1_795_818_841
  static let secret = Array("a secret of thirty-two bytes ....".utf8)

  let issuer: TokenIssuer
  let verifier: TokenVerifier

  init() async throws {
    issuer = try await TokenIssuer(secret: Tokens.secret)
    verifier = TokenVerifier(keys: try await .secret(Tokens.secret))
  }

  /// A token of our own making.
  func token(
    _ scope: Scope = .publish, wedding: String? = "w1", camera: String? = nil,
    expires: Int64 = Tokens.now + 3600, notBefore: Int64? = nil, priority: Int = 0
  ) throws -> String {
    try issuer.token(
      Claims(
        scope: scope, wedding: wedding, camera: camera, plan: "free", subject: "s",
        expires: expires, notBefore: notBefore, priority: priority), issued: Tokens.now)
  }

  /// Why a token is refused, or nil.
  func refusal(_ token: String, for purpose: Purpose? = nil) -> Refusal? {
    do throws(Refusal) {
      let claims = try verifier.verify(Array(token.utf8), now: Tokens.now)
      if let purpose { try claims.check(purpose) }
      return nil
    } catch {
      return error
    }
  }
}

/// Base64url by Foundation, so that tests do not check our own by itself.
func base64URL(_ bytes: some Sequence<UInt8>) -> String {
  Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
    .replacing("=", with: "")
}

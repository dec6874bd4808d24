import Foundation
import JWTKit

/// Makes tokens with the shared secret (HS256).
package struct TokenIssuer: Sendable {
  private static let header = Base64URL.encode(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
  private let algorithm: any JWTAlgorithm

  /// Makes an issuer.
  ///
  /// - Parameter secret: at least 16 bytes.
  /// - Throws: `.weakSecret`.
  package init(secret: [UInt8]) async throws(KeyError) {
    algorithm = try await VerificationKeys.hmac(secret)
  }

  /// Signs claims.
  ///
  /// - Parameters:
  ///   - claims: what the token shall say; names are checked.
  ///   - issued: seconds since 1970, for `iat`.
  /// - Returns: the token.
  /// - Throws: `.unusable`, when a name may not stand in a token.
  package func token(_ claims: Claims, issued: Int64) throws(KeyError) -> String {
    let payload = TokenPayload(claims, issued: issued)
    do throws(Refusal) {
      _ = try payload.claims()
    } catch {
      throw KeyError.unusable("the token would not be accepted: \(error)")
    }
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let body = Base64URL.encode(Array(try encoder.encode(payload)))
      let signed = TokenIssuer.header + [UInt8(ascii: ".")] + body
      let signature = Base64URL.encode(try algorithm.sign(signed))
      return String(decoding: signed + [UInt8(ascii: ".")] + signature, as: UTF8.self)
    } catch {
      throw KeyError.unusable("the token can't be signed: \(error)")
    }
  }
}

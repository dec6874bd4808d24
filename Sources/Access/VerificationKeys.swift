import Foundation
import JWTKit

/// The keys that tokens may be signed with; immutable.
///
/// Each key is good for one algorithm, fixed when it is read. A token's header only chooses among
/// them and never says how a key is used: a public RSA key can't become an HMAC secret.
package struct VerificationKeys: Sendable {
  struct Key: Sendable {
    let id: String?
    let algorithm: any JWTAlgorithm
  }

  /// Shorter secrets are refused: they can be guessed from one token.
  package static let minSecretBytes = 16
  /// More keys in one set are a mistake, and each is work for a forged token.
  package static let maxKeys = 64

  /// The algorithms of the keys that a key set may bring.
  static let setAlgorithms: Set<String> = ["RS256", "ES256"]

  let all: [Key]

  /// No key: every token is refused.
  package static let none = VerificationKeys(all: [])

  /// Whether no token can be accepted.
  package var isEmpty: Bool { all.isEmpty }

  /// How many keys there are.
  package var count: Int { all.count }

  /// A shared secret, for HS256.
  ///
  /// - Parameter secret: at least 16 bytes; 32 random ones are best.
  /// - Returns: one key without an id.
  /// - Throws: `.weakSecret`.
  package static func secret(_ secret: [UInt8]) async throws(KeyError) -> VerificationKeys {
    VerificationKeys(all: [Key(id: nil, algorithm: try await hmac(secret))])
  }

  static func hmac(_ secret: [UInt8]) async throws(KeyError) -> any JWTAlgorithm {
    guard secret.count >= minSecretBytes else {
      throw KeyError.weakSecret(bytes: secret.count, needed: minSecretBytes)
    }
    // HMAC pads a short key with zeros itself, so this changes no signature; jwt-kit insists on
    // a key as long as the hash.
    let padded = secret + [UInt8](repeating: 0, count: max(0, 32 - secret.count))
    let keys = JWTKeyCollection()
    await keys.add(hmac: HMACKey(from: padded), digestAlgorithm: .sha256)
    do {
      return try await keys.getKey()
    } catch {
      throw KeyError.unusable("the secret can't be used: \(error)")
    }
  }

  /// A JSON Web Key Set: RSA keys for RS256, P-256 keys for ES256.
  ///
  /// Keys of other kinds, for other uses or algorithms, and secret (`oct`) keys are passed over:
  /// a key set is public.
  ///
  /// - Parameter json: RFC 7517's form, up to 64 keys.
  /// - Returns: what can be used of it.
  /// - Throws: `.notAKeySet`, or `.unusable` when no key of it can be used.
  package static func jwks(_ json: [UInt8]) async throws(KeyError) -> VerificationKeys {
    guard let set = try? JSONDecoder().decode(KeySet.self, from: Data(json)) else {
      throw KeyError.notAKeySet
    }
    guard set.keys.count <= maxKeys else {
      throw KeyError.unusable("the key set has \(set.keys.count) keys, more than \(maxKeys)")
    }
    var found: [Key] = []
    for entry in set.keys {
      guard let algorithm = await entry.algorithm() else { continue }
      found.append(Key(id: entry.kid, algorithm: algorithm))
    }
    if found.isEmpty {
      throw KeyError.unusable("no RS256 or ES256 key is in the key set")
    }
    return VerificationKeys(all: found)
  }

  /// Both sets of keys.
  package func adding(_ more: VerificationKeys) -> VerificationKeys {
    VerificationKeys(all: all + more.all)
  }

  private struct KeySet: Decodable {
    let keys: [Entry]
  }

  private struct Entry: Decodable {
    let kty: String?
    let kid: String?
    let use: String?
    let alg: String?
    let crv: String?
    let n: String?
    let e: String?
    let x: String?
    let y: String?

    /// The key, for its one algorithm, or nil when it is not one that is used here.
    ///
    /// Only its public parts are read.
    func algorithm() async -> (any JWTAlgorithm)? {
      guard use == nil || use == "sig" else { return nil }
      let keys = JWTKeyCollection()
      do {
        switch kty {
        case "RSA" where alg == nil || alg == "RS256":
          // 2048 bits are 342 characters; a shorter modulus can be factored.
          guard let n, n.drop(while: { $0 == "A" }).utf8.count >= 341 else { return nil }
          try await keys.add(
            jwk: .rsa(.rs256, identifier: "k", modulus: n, exponent: e))
        case "EC" where crv == "P-256" && (alg == nil || alg == "ES256"):
          try await keys.add(
            jwk: .ecdsa(.es256, identifier: "k", x: x, y: y, curve: .p256))
        default:
          return nil
        }
        return try await keys.getKey(for: "k")
      } catch {
        return nil
      }
    }
  }
}

/// Why keys can't be used; the words are for an operator and hold no key.
package enum KeyError: Error, Sendable, Equatable, CustomStringConvertible {
  case weakSecret(bytes: Int, needed: Int)
  case notAKeySet
  case unusable(String)

  package var description: String {
    switch self {
    case .weakSecret(let bytes, let needed):
      "the secret has \(bytes) bytes, fewer than \(needed): anyone could guess it; "
        + "make one with `openssl rand -hex 32`"
    case .notAKeySet: "this is not a JSON Web Key Set: {\"keys\": [...]} was expected"
    case .unusable(let why): why
    }
  }
}

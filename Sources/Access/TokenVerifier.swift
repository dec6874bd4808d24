import Foundation
import JWTKit
import Synchronization

/// Decides whether a token is good; callable from any thread, without waiting.
///
/// jwt-kit's key collection is an actor, but a key taken out of it verifies synchronously: so the
/// keys are prepared once, and a loop's thread can verify a token in its turn (some microseconds
/// for HS256, some tens for RS256 and ES256). `VerifiedTokens` remembers the result per loop.
package final class TokenVerifier: Sendable {
  /// Longer tokens are refused unread.
  package static let maxTokenBytes = 4096

  private struct State {
    var keys: VerificationKeys
    var awaitsKeySet: Bool
  }

  /// Seconds by which clocks may differ.
  package let leeway: Int64
  private let state: Mutex<State>
  private let changes = Atomic<UInt64>(1)
  private let unknownKeys = Atomic<UInt64>(0)

  /// Makes a verifier.
  ///
  /// - Parameters:
  ///   - keys: to begin with; none refuses all.
  ///   - awaitsKeySet: whether a key set is still to come by `replace(keys:)`; till then its tokens
  ///     are told that their keys are missing.
  ///   - leeway: by which clocks may differ, in whole seconds.
  package init(
    keys: VerificationKeys, awaitsKeySet: Bool = false, leeway: Duration = .seconds(10)
  ) {
    state = Mutex(State(keys: keys, awaitsKeySet: awaitsKeySet))
    self.leeway = max(0, leeway.components.seconds)
  }

  /// Replaces the keys; what caches remember of the old ones no longer counts.
  package func replace(keys: VerificationKeys) {
    state.withLock { $0 = State(keys: keys, awaitsKeySet: false) }
    changes.wrappingAdd(1, ordering: .releasing)
  }

  /// Changes whenever the keys do.
  package var generation: UInt64 { changes.load(ordering: .acquiring) }

  /// How many tokens may be signed by a key that is not known yet; a key set's refresh watches it.
  ///
  /// They name one, or their algorithm has none here, or none of the keys without an id fits.
  /// Tokens signed by a secret are not counted, as no set brings one.
  package var unknownKeyCount: UInt64 { unknownKeys.load(ordering: .relaxed) }

  /// Verifies a token: its form, signature, claims and times, not what it is used for.
  ///
  /// - Parameters:
  ///   - token: as received.
  ///   - now: seconds since 1970.
  /// - Returns: what it says; check it against a `Purpose` next.
  /// - Throws: the first thing that is wrong with it.
  package func verify(_ token: [UInt8], now: Int64) throws(Refusal) -> Claims {
    guard !token.isEmpty else { throw Refusal(.missing) }
    guard token.count <= TokenVerifier.maxTokenBytes else { throw Refusal(.tooLong) }
    let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let headerJSON = Base64URL.decode(parts[0]),
      let payloadJSON = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]),
      let header = try? JSONDecoder().decode(Header.self, from: Data(headerJSON))
    else { throw Refusal(.malformed) }
    // An extension that must be understood (RFC 7515, 4.1.11), and is not.
    if header.crit != nil { throw Refusal(.malformed) }
    let keys = try candidates(header)
    let signed = token[..<parts[1].endIndex]
    // A failure inside the algorithm, say a signature of an impossible length, is a bad one too.
    let isGood = keys.contains { (try? $0.algorithm.verify(signature, signs: signed)) == true }
    guard isGood else {
      // A key that the token names is what it is; among others a new one may be missing.
      if header.kid == nil || keys.allSatisfy({ $0.id == nil }) { countUnknownKey(header) }
      throw Refusal(.badSignature)
    }
    // The claims are read only now: before, they are anybody's bytes.
    guard let payload = try? JSONDecoder().decode(TokenPayload.self, from: Data(payloadJSON)) else {
      throw Refusal(.badClaim("a claim is of the wrong kind"))
    }
    let claims = try payload.claims()
    try claims.check(now: now, leeway: leeway)
    return claims
  }

  /// Verifies a token for a purpose.
  ///
  /// - Throws: the first thing that is wrong with it.
  package func verify(
    _ token: [UInt8], for purpose: Purpose, now: Int64
  ) throws(Refusal) -> Claims {
    let claims = try verify(token, now: now)
    try claims.check(purpose)
    return claims
  }

  /// The keys that the header may mean: of its algorithm, and of its id where both have one.
  private func candidates(_ header: Header) throws(Refusal) -> [VerificationKeys.Key] {
    let (all, awaitsKeySet) = state.withLock { ($0.keys.all, $0.awaitsKeySet) }
    let able = all.filter { $0.algorithm.name == header.alg }
    if able.isEmpty {
      countUnknownKey(header)
      let isOfSet = VerificationKeys.setAlgorithms.contains(header.alg)
      throw Refusal(awaitsKeySet && isOfSet ? .keysUnavailable : .unsupportedAlgorithm)
    }
    guard let wanted = header.kid else { return able }
    let meant = able.filter { $0.id == nil || $0.id == wanted }
    if meant.isEmpty {
      countUnknownKey(header)
      throw Refusal(.unknownKey)
    }
    return meant
  }

  private func countUnknownKey(_ header: Header) {
    if VerificationKeys.setAlgorithms.contains(header.alg) {
      unknownKeys.wrappingAdd(1, ordering: .relaxed)
    }
  }

  private struct Header: Decodable {
    let alg: String
    let kid: String?
    let crit: [String]?
  }
}

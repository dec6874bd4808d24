import Access
import Crypto
import Foundation
import JWTKit
import Testing

@Suite struct `Token verification` {
  let tokens: Tokens

  init() async throws { tokens = try await Tokens() }

  /// Signs any header and payload with the secret, as an attacker without it could not.
  func sign(_ header: String, _ payload: String, secret: [UInt8] = Tokens.secret)
    -> String
  {
    let signed = "\(base64URL(header.utf8)).\(base64URL(payload.utf8))"
    let code = HMAC<SHA256>.authenticationCode(
      for: Data(signed.utf8), using: SymmetricKey(data: secret))
    return "\(signed).\(base64URL(code))"
  }

  let hs256 = #"{"alg":"HS256"}"#
  let good = #"{"scope":"watch","wedding":"w1","exp":1795822441}"#

  @Test func `what was issued is read back`() throws {
    let token = try tokens.token(.publish, camera: "cam2", notBefore: 5, priority: 3)
    let claims = try tokens.verifier.verify(Array(token.utf8), now: Tokens.now)
    #expect(
      claims
        == Claims(
          scope: .publish, wedding: "w1", camera: "cam2", plan: "free", subject: "s",
          expires: Tokens.now + 3600, notBefore: 5, priority: 3))
  }

  @Test func `jwt-kit reads what we issue, and we read what jwt-kit issues`() async throws {
    let keys = JWTKeyCollection()
    await keys.add(hmac: HMACKey(from: Tokens.secret), digestAlgorithm: .sha256)
    let theirs = try await keys.sign(OtherPayload(scope: "watch", wedding: "w9", exp: 4e9))
    #expect(
      try tokens.verifier.verify(Array(theirs.utf8), now: Tokens.now).wedding == "w9")
    let ours = try tokens.token(.watch, wedding: "w7")
    #expect(try await keys.verify(ours, as: OtherPayload.self).wedding == "w7")
  }

  @Test func `a secret shorter than the hash signs as any other library does`() async throws {
    let short = Array("sixteen bytes !!".utf8)
    let verifier = TokenVerifier(keys: try await .secret(short))
    let token = sign(hs256, good, secret: short)
    #expect(try verifier.verify(Array(token.utf8), now: Tokens.now).wedding == "w1")
  }

  @Test(arguments: [0, 1, 15])
  func `a weak secret is refused with what to do`(count: Int) async {
    await #expect {
      _ = try await VerificationKeys.secret([UInt8](repeating: 65, count: count))
    } throws: { error in
      "\(error)".contains("\(count) bytes") && "\(error)".contains("openssl rand -hex 32")
    }
  }

  @Test(arguments: [
    ("", Refusal.Reason.missing), ("abc", .malformed), ("a.b", .malformed), ("..", .malformed),
    ("e30.e30.e30.e30", .malformed), ("e30.e30.", .malformed), ("!!!.e30.e30", .malformed),
    (String(repeating: "a", count: 4097), .tooLong),
  ])
  func `what is no token is refused`(text: String, reason: Refusal.Reason) {
    #expect(tokens.refusal(text)?.reason == reason)
  }

  @Test func `a token cut anywhere or with any byte changed is refused`() throws {
    let token = Array(try tokens.token().utf8)
    for index in token.indices {
      #expect(tokens.refusal(String(decoding: token[..<index], as: UTF8.self)) != nil)
      for flip in [UInt8(1), 2, 0x20] {
        var changed = token
        changed[index] ^= flip
        let text = String(decoding: changed, as: UTF8.self)
        #expect(tokens.refusal(text) != nil, "byte \(index) of \(text)")
      }
    }
  }

  @Test(arguments: [
    #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":""}"#, #"{"alg":"hs256"}"#,
    #"{"alg":"HS512"}"#, #"{"alg":"RS256"}"#, #"{"alg":"ES256"}"#,
  ])
  func `another algorithm is refused even with a good HMAC`(header: String) {
    #expect(tokens.refusal(sign(header, good))?.reason == .unsupportedAlgorithm)
    let unsigned = "\(base64URL(header.utf8)).\(base64URL(good.utf8))."
    #expect(tokens.refusal(unsigned)?.reason == .unsupportedAlgorithm)
  }

  @Test func `an empty or foreign signature is refused`() {
    let unsigned = "\(base64URL(hs256.utf8)).\(base64URL(good.utf8))"
    #expect(tokens.refusal(unsigned + ".")?.reason == .badSignature)
    #expect(tokens.refusal(unsigned + ".AAAA")?.reason == .badSignature)
    let foreign = sign(hs256, good, secret: Array("another secret of enough bytes ..".utf8))
    #expect(tokens.refusal(foreign)?.reason == .badSignature)
    #expect(tokens.refusal(sign(hs256, good)) == nil)
  }

  @Test func `a header that needs an extension, or is no object, is refused`() {
    #expect(tokens.refusal(sign(#"{"alg":"HS256","crit":["b64"]}"#, good))?.reason == .malformed)
    #expect(tokens.refusal(sign("[]", good))?.reason == .malformed)
    #expect(tokens.refusal(sign(#"{"alg":7}"#, good))?.reason == .malformed)
  }

  @Test(arguments: [
    #"{"scope":"watch","wedding":"w1"}"#, #"{"scope":"admin","wedding":"w1","exp":1795822441}"#,
    #"{"wedding":"w1","exp":1795822441}"#, #"{"scope":"watch","exp":1795822441}"#,
    #"{"scope":"watch","wedding":"../etc","exp":1795822441}"#,
    #"{"scope":"watch","wedding":"","exp":1795822441}"#,
    #"{"scope":"watch","wedding":"w1","camera":"a/b","exp":1795822441}"#,
    #"{"scope":"watch","wedding":"w1","exp":"soon"}"#,
    #"{"scope":"watch","wedding":"w1","exp":1e300}"#,
    #"{"scope":"watch","wedding":"w1","exp":-1}"#,
    #"{"scope":"watch","wedding":"w1","exp":1795822441,"nbf":-5}"#,
    #"{"scope":"watch","wedding":7,"exp":1795822441}"#, "null", "", "[]",
  ])
  func `claims that are absent or wrong are refused, after the signature`(payload: String) {
    let refusal = tokens.refusal(sign(hs256, payload))
    guard case .badClaim = refusal?.reason else {
      Issue.record("\(payload): \(String(describing: refusal))")
      return
    }
  }

  @Test(arguments: [
    (Int64(-11), Int64?.none, Refusal.Reason?.some(.expired(seconds: 11))),
    (-10, nil, .expired(seconds: 10)), (-9, nil, nil), (1, nil, nil),
    (100, 11, .notYetValid(at: Tokens.now + 11)), (100, 10, nil), (100, -1, nil),
  ])
  func `times are kept to within the leeway`(
    expires: Int64, notBefore: Int64?, reason: Refusal.Reason?
  ) throws {
    let token = try tokens.token(
      expires: Tokens.now + expires,
      notBefore: notBefore.map { Tokens.now + $0 })
    #expect(tokens.refusal(token)?.reason == reason)
  }

  @Test func `words for people`() {
    let words: [(Refusal.Reason, String)] = [
      (.expired(seconds: 300), "the token expired 5 min ago"),
      (.expired(seconds: 7), "the token expired 7 s ago"),
      (.expired(seconds: 200_000), "the token expired 2 days ago"),
      (.notYetValid(at: 1_795_818_841), "the token is not valid until 2026-11-27 22:34:01 UTC"),
      (.notYetValid(at: .max), "the token is not valid until a far time"),
      (.otherScope(has: .watch, needed: .publish), "the token is for watch, not for publish"),
    ]
    for (reason, text) in words { #expect(Refusal(reason).description == text) }
  }

  @Test(arguments: [
    (Scope.publish, Purpose.publish(wedding: nil, camera: nil), Refusal.Reason?.none),
    (.publish, .publish(wedding: "w1", camera: "main"), nil),
    (.publish, .publish(wedding: "w1", camera: "two"), .otherCamera),
    (.publish, .publish(wedding: "w2", camera: nil), .otherWedding),
    (.publish, .watch(wedding: "w1", camera: nil), .otherScope(has: .publish, needed: .watch)),
    (.watch, .watch(wedding: "w1", camera: "two"), nil),
    (.watch, .watch(wedding: "w2", camera: nil), .otherWedding),
    (.watch, .publish(wedding: "w1", camera: nil), .otherScope(has: .watch, needed: .publish)),
    (.watch, .service, .otherScope(has: .watch, needed: .service)),
    (.service, .service, nil),
    (.service, .watch(wedding: "w1", camera: nil), .otherScope(has: .service, needed: .watch)),
  ])
  func `a token is good for its own purpose alone`(
    scope: Scope, purpose: Purpose, reason: Refusal.Reason?
  ) throws {
    #expect(tokens.refusal(try tokens.token(scope), for: purpose)?.reason == reason)
  }

  @Test func `a watch token for one camera is not good for another`() throws {
    let token = try tokens.token(.watch, camera: "two")
    #expect(tokens.refusal(token, for: .watch(wedding: "w1", camera: "two")) == nil)
    #expect(
      tokens.refusal(token, for: .watch(wedding: "w1", camera: "main"))?.reason == .otherCamera)
    #expect(tokens.refusal(token, for: .watch(wedding: "w1", camera: nil)) == nil)
  }

  @Test func `no refusal repeats anything of the token`() throws {
    let secrets = ["eyJ", "leak", Tokens.secret.description]
    let texts = [
      sign(#"{"alg":"leak"}"#, good), sign(hs256, #"{"scope":"leak"}"#),
      sign(hs256, #"{"scope":"watch","wedding":"leak leak","exp":1795822441}"#),
      sign(#"{"alg":"HS256","kid":"leak"}"#, good) + "x", "leak.leak.leak", "eyJleak",
    ]
    for text in texts {
      let refusal = try #require(tokens.refusal(text))
      for secret in secrets {
        #expect(!refusal.description.contains(secret) && !refusal.code.contains(secret))
      }
    }
  }

  @Test func `an issuer makes no token that would be refused`() throws {
    #expect(throws: KeyError.self) { try tokens.token(wedding: "a b") }
    #expect(throws: KeyError.self) { try tokens.token(wedding: nil) }
    #expect(throws: Never.self) { try tokens.token(.service, wedding: nil) }
  }
}

private struct OtherPayload: JWTPayload {
  var scope: String
  var wedding: String
  var exp: Double

  func verify(using algorithm: some JWTAlgorithm) async throws {}
}

import Access
import Crypto
import Foundation
import JWTKit
import Testing

/// An RSA and a P-256 key pair, and their public set.
private struct Pairs {
  let rsa: JWTKit.Insecure.RSA.PrivateKey
  let ec: ES256PrivateKey
  let json: [UInt8]
  let collection = JWTKeyCollection()

  init() async throws {
    let pem = try Pairs.openssl(["genrsa", "2048"])
    rsa = try JWTKit.Insecure.RSA.PrivateKey(pem: pem)
    ec = ES256PrivateKey()
    let (modulus, exponent) = try rsa.publicKey.getKeyPrimitives()
    let x963 = try P256.Signing.PublicKey(pemRepresentation: ec.publicKey.pemRepresentation)
      .x963Representation
    json = Array(
      """
      {"keys":[
        {"kty":"oct","kid":"bad","k":"c2VjcmV0c2VjcmV0c2VjcmV0","alg":"HS256"},
        {"kty":"RSA","kid":"r1","use":"sig","alg":"RS256","n":"\(base64URL(modulus))",
         "e":"\(base64URL(exponent))"},
        {"kty":"RSA","kid":"enc","use":"enc","n":"\(base64URL(modulus))","e":"AQAB"},
        {"kty":"RSA","kid":"short","n":"\(base64URL([UInt8](repeating: 0xC5, count: 128)))",
         "e":"AQAB"},
        {"kty":"EC","kid":"e1","crv":"P-256","x":"\(base64URL(x963[1..<33]))",
         "y":"\(base64URL(x963[33...]))"},
        {"kty":"OKP","kid":"o","crv":"Ed25519","x":"AAAA"}
      ]}
      """.utf8)
    await collection.add(rsa: rsa, digestAlgorithm: .sha256, kid: "r1")
    await collection.add(ecdsa: ec, kid: "e1")
  }

  func sign(_ kid: JWKIdentifier, header: String? = nil) async throws -> String {
    try await collection.sign(
      Payload(scope: "watch", wedding: "w1", exp: 4e9), kid: kid,
      header: header.map { ["kid": .string($0)] } ?? [:])
  }

  static func openssl(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self)
  }
}

private struct Payload: JWTPayload {
  var scope: String
  var wedding: String
  var exp: Double

  func verify(using algorithm: some JWTAlgorithm) async throws {}
}

@Suite struct `Key sets` {
  let now: Int64 = 1_795_818_841

  @Test func `RS256 and ES256 tokens are good under the key they name`() async throws {
    let pairs = try await Pairs()
    let keys = try await VerificationKeys.jwks(pairs.json)
    #expect(keys.count == 2)
    let verifier = TokenVerifier(keys: keys)
    for kid in ["r1", "e1"] {
      let token = try await pairs.sign(JWKIdentifier(string: kid))
      #expect(try verifier.verify(Array(token.utf8), now: now).wedding == "w1")
      var parts = token.split(separator: ".").map(String.init)
      parts[2] = String(parts[2].reversed())
      let forged = Array(parts.joined(separator: ".").utf8)
      #expect(throws: Refusal.self) { try verifier.verify(forged, now: now) }
    }
  }

  @Test func `a public key never serves as an HMAC secret`() async throws {
    let pairs = try await Pairs()
    let verifier = TokenVerifier(keys: try await .jwks(pairs.json))
    let pem = pairs.rsa.publicKey.pemRepresentation
    for secret in [Array(pem.utf8), pairs.json, Array("secretsecretsecret".utf8)] {
      for kid in ["r1", "e1", "bad"] {
        let signed =
          base64URL(#"{"alg":"HS256","kid":"\#(kid)"}"#.utf8) + "."
          + base64URL(#"{"scope":"service","exp":4000000000}"#.utf8)
        let code = HMAC<SHA256>.authenticationCode(
          for: Data(signed.utf8), using: SymmetricKey(data: secret))
        let token = Array("\(signed).\(base64URL(code))".utf8)
        #expect(throws: Refusal(.unsupportedAlgorithm)) { try verifier.verify(token, now: now) }
      }
    }
  }

  @Test func `a key that is not in the set is told apart and counted`() async throws {
    let pairs = try await Pairs()
    let verifier = TokenVerifier(keys: try await .jwks(pairs.json))
    let signed =
      base64URL(#"{"alg":"RS256","kid":"r2"}"#.utf8) + "." + base64URL("{}".utf8) + ".AAAA"
    #expect(throws: Refusal(.unknownKey)) { try verifier.verify(Array(signed.utf8), now: now) }
    #expect(verifier.unknownKeyCount == 1)
  }

  @Test func `what another key set might explain is counted, and nothing else`() async throws {
    func token(_ header: String) -> [UInt8] {
      Array("\(base64URL(header.utf8)).\(base64URL("{}".utf8)).AAAA".utf8)
    }
    let pairs = try await Pairs()
    let text = String(decoding: pairs.json, as: UTF8.self)
    let withoutID = text.replacing(#""kid":"e1","#, with: "")
    let verifier = TokenVerifier(keys: try await .secret(Array("a secret of enough bytes".utf8)))
    for (set, header, counts) in [
      (nil, #"{"alg":"RS256","kid":"r1"}"#, true), (nil, #"{"alg":"ES256"}"#, true),
      (nil, #"{"alg":"HS256"}"#, false), (nil, #"{"alg":"none"}"#, false),
      (text, #"{"alg":"ES256"}"#, true), (text, #"{"alg":"ES256","kid":"e1"}"#, false),
      (withoutID, #"{"alg":"ES256"}"#, true), (withoutID, #"{"alg":"ES256","kid":"e2"}"#, true),
    ] {
      if let set { verifier.replace(keys: try await .jwks(Array(set.utf8))) }
      let before = verifier.unknownKeyCount
      #expect(throws: Refusal.self) { try verifier.verify(token(header), now: now) }
      #expect(verifier.unknownKeyCount == before + (counts ? 1 : 0), "\(header)")
    }
  }

  @Test func `a secret and a key set work side by side`() async throws {
    let pairs = try await Pairs()
    let secret = Array("a secret of enough bytes".utf8)
    let keys = try await VerificationKeys.secret(secret).adding(try await .jwks(pairs.json))
    let verifier = TokenVerifier(keys: keys)
    let issuer = try await TokenIssuer(secret: secret)
    let ours = try issuer.token(
      Claims(scope: .watch, wedding: "w2", expires: now + 10), issued: now)
    #expect(try verifier.verify(Array(ours.utf8), now: now).wedding == "w2")
    let theirs = try await pairs.sign("e1")
    #expect(try verifier.verify(Array(theirs.utf8), now: now).wedding == "w1")
  }

  @Test(arguments: ["", "[]", "{}", #"{"keys":7}"#, "garbage"])
  func `what is no key set is refused`(text: String) async {
    await #expect(throws: KeyError.notAKeySet) {
      _ = try await VerificationKeys.jwks(Array(text.utf8))
    }
  }

  @Test(arguments: [
    #"{"keys":[]}"#, #"{"keys":[{"kty":"RSA"}]}"#, #"{"keys":[{"kty":"EC","crv":"P-256"}]}"#,
    #"{"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}]}"#,
  ])
  func `a set without a usable key is refused`(text: String) async {
    await #expect {
      _ = try await VerificationKeys.jwks(Array(text.utf8))
    } throws: { error in
      "\(error)".contains("no RS256 or ES256 key")
    }
  }
}

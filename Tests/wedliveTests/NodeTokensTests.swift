import Access
import Foundation
import Logging
import Testing

@testable import wedlive

@Suite struct `Tokens of a node` {
  let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  let secret = Array("a secret of thirty-two bytes ....".utf8)
  let now: Int64 = 1_795_818_841

  func tokens(jwks: String) async throws -> NodeTokens {
    var configuration = NodeConfiguration()
    configuration.auth.jwks = jwks
    return try await NodeTokens(configuration, secret, log)
  }

  @Test func `a key server that is down leaves the secret's tokens good`() async throws {
    // Nobody listens on port 1.
    let tokens = try await tokens(jwks: "http://127.0.0.1:1/jwks")
    let claims = Claims(scope: .watch, wedding: "w1", expires: now + 60)
    let ours = try tokens.issuer.token(claims, issued: now)
    #expect(try tokens.verifier.verify(Array(ours.utf8), now: now).wedding == "w1")
    // {"alg":"ES256"}, {} and a signature of nobody.
    let theirs = Array("eyJhbGciOiJFUzI1NiJ9.e30.AAAA".utf8)
    let refusal = #expect(throws: Refusal.self) { try tokens.verifier.verify(theirs, now: now) }
    #expect(refusal?.code == "token_keys_unavailable")
    #expect(refusal?.httpStatus == 503)
  }

  @Test(arguments: ["/nowhere/keys", "http://keys.example/jwks", "https://u:hunter2@h/x"])
  func `a key set that no waiting would help keeps a node from starting`(jwks: String) async {
    let failure = await #expect(throws: StartFailure.self) { try await tokens(jwks: jwks) }
    #expect(failure?.description.contains("hunter2") == false)
  }
}

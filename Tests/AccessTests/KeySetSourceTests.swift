import Access
import Crypto
import Foundation
import HTTPClient
import JWTKit
import Logging
import Testing

@Suite struct `Key set source` {
  let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  let now: Int64 = 1_795_818_841

  /// A fresh P-256 key's public set and a token that it signed.
  func pair(_ kid: JWKIdentifier?) async throws -> (json: [UInt8], token: [UInt8]) {
    let key = ES256PrivateKey()
    let point = try P256.Signing.PublicKey(pemRepresentation: key.publicKey.pemRepresentation)
      .x963Representation
    let id = kid.map { "\"kid\":\"\($0.string)\"," } ?? ""
    let json = """
      {"keys":[{"kty":"EC",\(id)"crv":"P-256","x":"\(base64URL(point[1..<33]))",
        "y":"\(base64URL(point[33...]))"}]}
      """
    let keys = JWTKeyCollection()
    await keys.add(ecdsa: key, kid: kid)
    let token = try await keys.sign(Body(scope: "watch", wedding: "w1", exp: 4e9), kid: kid)
    return (Array(json.utf8), Array(token.utf8))
  }

  @Test func `a file is read, a broken one leaves the keys as they are`() async throws {
    let path = NSTemporaryDirectory() + "wedlive-jwks-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let verifier = TokenVerifier(keys: .none)
    let source = KeySetSource(
      try KeySetSource.Place(path), verifier: verifier, client: nil, log: log)
    await #expect { try await source.refresh() } throws: { "\($0)".contains(path) }
    let (json, token) = try await pair("k1")
    try Data(json).write(to: URL(fileURLWithPath: path))
    try await source.refresh()
    #expect(try verifier.verify(token, now: now).wedding == "w1")
    let generation = verifier.generation
    try await source.refresh()
    #expect(verifier.generation == generation)
    try Data("{".utf8).write(to: URL(fileURLWithPath: path))
    await #expect { try await source.refresh() } throws: { "\($0)".contains(path) }
    #expect(try verifier.verify(token, now: now).wedding == "w1")
  }

  @Test(arguments: ["new", nil])
  func `a rotated key at an address works soon after its first token`(kid: String?) async throws {
    let backend = try ScriptedBackend.shared.get()
    let (old, oldToken) = try await pair(kid == nil ? nil : "old")
    let (new, newToken) = try await pair(kid.map { JWKIdentifier(string: $0) })
    let place = "jwks-\(kid ?? "without")"
    _ = try await backend.exchange("/set/\(place)", old)
    let verifier = TokenVerifier(keys: .none)
    let source = KeySetSource(
      try KeySetSource.Place("http://\(backend.authority)/get/\(place)"), verifier: verifier,
      client: try HTTPClient(), interval: .seconds(3600), minInterval: .milliseconds(20), log: log)
    let running = Task { await source.run() }
    defer { running.cancel() }
    func becomesGood(_ token: [UInt8]) async throws -> Bool {
      for _ in 0..<1000 {
        if (try? verifier.verify(token, now: now)) != nil { return true }
        try await Task.sleep(for: .milliseconds(10))
      }
      return false
    }
    #expect(try await becomesGood(oldToken))
    #expect(throws: Refusal(kid == nil ? .badSignature : .unknownKey)) {
      try verifier.verify(newToken, now: now)
    }
    _ = try await backend.exchange("/set/\(place)", new)
    #expect(try await becomesGood(newToken))
    #expect(throws: Refusal.self) { try verifier.verify(oldToken, now: now) }
  }

  @Test func `an address that fails is asked again soon, and its keys are kept till then`()
    async throws
  {
    let backend = try ScriptedBackend.shared.get()
    let (json, token) = try await pair("k")
    let verifier = TokenVerifier(keys: .none, awaitsKeySet: true)
    let source = KeySetSource(
      try KeySetSource.Place("http://\(backend.authority)/get/late"), verifier: verifier,
      client: try HTTPClient(), interval: .seconds(3600), minInterval: .milliseconds(20), log: log)
    try await source.start()
    #expect(throws: Refusal(.keysUnavailable)) { try verifier.verify(token, now: now) }
    let running = Task { await source.run() }
    defer { running.cancel() }
    _ = try await backend.exchange("/set/late", json)
    let generation = verifier.generation
    for _ in 0..<1000 where verifier.generation == generation {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(try verifier.verify(token, now: now).wedding == "w1")
  }

  @Test func `a file that can't be read at the start is an error`() async throws {
    let source = KeySetSource(
      try KeySetSource.Place("/nowhere/keys"), verifier: TokenVerifier(keys: .none), client: nil,
      log: log)
    await #expect(throws: KeyError.self) { try await source.start() }
  }

  @Test func `an address that answers badly is named`() async throws {
    let backend = try ScriptedBackend.shared.get()
    let source = KeySetSource(
      try KeySetSource.Place("http://\(backend.authority)/get/none"),
      verifier: TokenVerifier(keys: .none), client: try HTTPClient(), log: log)
    await #expect { try await source.refresh() } throws: { error in
      "\(error)".contains(backend.authority) && "\(error)".contains("404")
    }
  }

  @Test(arguments: [
    "http://keys.example/jwks", "http://localhost.example/jwks", "ftp://localhost/x", "https://",
    "http://127.0.0.1.example/x", "http://localhost:x@keys.example/x", "https://?token=S",
  ])
  func `an address that could be tampered with on the way is refused`(text: String) {
    #expect(throws: KeyError.self) { try KeySetSource.Place(text) }
  }

  @Test(arguments: [
    "/etc/keys.json", "keys.json", "https://keys.example/jwks", "http://localhost:8000/jwks",
    "http://[::1]:80/jwks", "http://127.0.0.1/",
  ])
  func `files and safe addresses are taken`(text: String) throws {
    #expect(try KeySetSource.Place(text).description == text)
  }

  @Test(arguments: [
    ("https://keys.example/x?token=S", "https://keys.example/x"),
    ("https://keys.example?token=S", "https://keys.example/"),
    ("https://keys.example/x#S", "https://keys.example/x"),
  ])
  func `an address is told without its query`(text: String, told: String) throws {
    #expect(try KeySetSource.Place(text).description == told)
  }

  @Test(arguments: [
    ("https://u:hunter2@a/b?token=S", "https://a/b"), ("ftp://u:hunter2@a", "ftp://a"),
    ("https://u:hun/ter2@a/b#S", "https://a/b"), ("/etc/keys@a?.json", "/etc/keys@a?.json"),
  ])
  func `whatever is named is told without secrets`(text: String, told: String) {
    #expect(KeySetSource.Place.words(for: text) == told)
  }

  @Test func `a query is sent`() async throws {
    let backend = try ScriptedBackend.shared.get()
    let (json, token) = try await pair("k")
    _ = try await backend.exchange("/set/q?token=S", json)
    let verifier = TokenVerifier(keys: .none)
    let source = KeySetSource(
      try KeySetSource.Place("http://\(backend.authority)/get/q?token=S"),
      verifier: verifier, client: try HTTPClient(), log: log)
    try await source.refresh()
    #expect(try verifier.verify(token, now: now).wedding == "w1")
  }

  @Test func `an address with a name and a password is refused without telling them`() {
    #expect {
      try KeySetSource.Place("https://user:hunter2@keys.example/x?token=S")
    } throws: { error in
      "\(error)".contains("user name") && !"\(error)".contains("hunter2")
    }
  }
}

private struct Body: JWTPayload {
  var scope: String
  var wedding: String
  var exp: Double

  func verify(using algorithm: some JWTAlgorithm) async throws {}
}

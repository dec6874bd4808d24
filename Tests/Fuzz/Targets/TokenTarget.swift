import Access
import Bytes
import Crypto
import Foundation
import Synchronization

/// A verifier with one secret, which the target knows too and signs with.
struct TokenBench: Sendable {
  static let now: Int64 = 1_795_818_841
  private static let shared = Mutex<TokenBench?>(nil)
  private static let secret = Array("a secret of thirty-two bytes ....".utf8)

  let verifier: TokenVerifier

  static func prepare() async throws {
    let verifier = TokenVerifier(keys: try await .secret(secret))
    shared.withLock { $0 = TokenBench(verifier: verifier) }
  }

  static func made() throws(Finding) -> TokenBench {
    guard let bench = shared.withLock({ $0 }) else { throw Finding("prepare() was not awaited") }
    return bench
  }

  /// Base64url without padding, by Foundation and not by what is tested.
  func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    Data(bytes).base64EncodedData().compactMap { byte in
      switch byte {
      case UInt8(ascii: "+"): UInt8(ascii: "-")
      case UInt8(ascii: "/"): UInt8(ascii: "_")
      case UInt8(ascii: "="): nil
      default: byte
      }
    }
  }

  func signed(_ header: some Sequence<UInt8>, _ payload: some Sequence<UInt8>) -> [UInt8] {
    let text = encode(header) + [UInt8(ascii: ".")] + encode(payload)
    return text + [UInt8(ascii: ".")] + signature(of: text)
  }

  func signature(of text: some Sequence<UInt8>) -> [UInt8] {
    let key = SymmetricKey(data: Self.secret)
    return encode(HMAC<SHA256>.authenticationCode(for: Data(text), using: key))
  }
}

/// Forged tokens are refused whatever their bytes are; signed ones say only what they may say.
func fuzzTokens(_ input: [UInt8]) throws(Finding) {
  let bench = try TokenBench.made()
  var remembered = VerifiedTokens(bench.verifier, capacity: 2)
  if try accepts(input, bench, &remembered) {
    let dot = input.lastIndex(of: UInt8(ascii: ".")) ?? 0
    try check(
      input[(dot + 1)...].elementsEqual(bench.signature(of: input[..<dot])),
      "a token with another signature is accepted")
  }
  // The first line as the header, the rest as the claims; or all of it as the claims.
  let end = input.firstIndex(of: 0x0a) ?? input.endIndex
  let header = #"{"alg":"HS256"}"#.utf8
  _ = try accepts(bench.signed(header, input), bench, &remembered)
  _ = try accepts(bench.signed(input[..<end], input[end...].dropFirst()), bench, &remembered)
}

/// Whether a token is accepted, asked twice: verified, and remembered.
private func accepts(
  _ token: [UInt8], _ bench: TokenBench, _ remembered: inout VerifiedTokens
) throws(Finding) -> Bool {
  let first = claims(token, &remembered)
  let second = claims(token, &remembered)
  try check(first == second, "a token that is remembered is judged otherwise")
  switch first {
  case .success(let claims):
    try check(claims.expires + bench.verifier.leeway > TokenBench.now, "an expired token")
    try check(claims.wedding != nil || claims.scope == .service, "a token for nothing")
    for name in [claims.wedding, claims.camera].compactMap(\.self) {
      try check(
        !name.isEmpty && name != ".." && !name.contains("/") && name.utf8.count <= 128,
        "a wedding or camera named \(name)")
    }
    try check(remembered.isRemembered(token.span), "a good token is not remembered")
    return true
  case .failure(let refusal):
    let words = refusal.description
    try check(
      words.utf8.count < 160 && words.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f },
      "a refusal repeats what was sent")
    return false
  }
}

private func claims(
  _ token: [UInt8], _ remembered: inout VerifiedTokens
) -> Result<Claims, Refusal> {
  do throws(Refusal) {
    return .success(try remembered.claims(of: token.span, now: TokenBench.now))
  } catch {
    return .failure(error)
  }
}

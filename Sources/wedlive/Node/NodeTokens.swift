import Access
import HTTPClient
import Logging
import ServiceLifecycle

/// Who may do what: the verifier of tokens, the issuer of our own, and the key set of others.
struct NodeTokens: Sendable {
  let verifier: TokenVerifier
  let issuer: TokenIssuer
  /// Where keys of RS256 and ES256 tokens come from, if anywhere.
  let keySet: KeySetSource?

  /// Makes them from the secret and `auth.jwks`, whose keys are asked for once before this returns.
  ///
  /// An address that fails leaves the secret's tokens good; `KeySetService` asks it again.
  ///
  /// - Throws: `StartFailure` where the secret is weak, `auth.jwks` names no place that may be
  ///   used, or its file can't be read.
  init(
    _ configuration: NodeConfiguration, _ secret: [UInt8], _ logger: Logger
  ) async throws(StartFailure) {
    do throws(KeyError) {
      let keys = try await VerificationKeys.secret(secret)
      verifier = TokenVerifier(
        keys: keys, awaitsKeySet: configuration.auth.jwks != nil,
        leeway: configuration.auth.leeway)
      issuer = try await TokenIssuer(secret: secret)
      guard let text = configuration.auth.jwks else {
        keySet = nil
        return
      }
      let source = KeySetSource(
        try KeySetSource.Place(text), verifier: verifier, fixed: keys,
        client: try? HTTPClient(HTTPClientConfiguration()),
        interval: configuration.auth.jwksRefresh, log: logger)
      try await source.start()
      keySet = source
    } catch {
      throw StartFailure("auth: \(error)")
    }
  }
}

/// Reads the key set again and again.
struct KeySetService: Service {
  private let source: KeySetSource

  init(_ source: KeySetSource) { self.source = source }

  func run() async throws {
    await cancelWhenGracefulShutdown { await source.run() }
  }
}

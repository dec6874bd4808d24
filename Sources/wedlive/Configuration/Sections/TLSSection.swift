/// `tls`: the certificate and the ciphers.
struct TLSSection: Equatable, Sendable {
  /// Whether AES-GCM comes from libipsec-mb.
  enum FastCipher: String, CaseIterable, Sendable { case auto, on, off }

  /// A PEM file with the chain, leaf first; nil for a self-signed one in the data folder.
  var certificate: String?
  /// A PEM file with the certificate's private key.
  var key: String?
  var fastCipher = FastCipher.auto
  /// How many TLS handshakes may be under way on one loop.
  var handshakes = 256
  /// How long a handshake may take.
  var handshakeTimeout = Duration.seconds(10)
  /// Seconds of `Strict-Transport-Security`; zero sends none.
  var hsts = Duration.seconds(63_072_000)
}

/// The files of one server certificate.
package struct TLSCertificateFiles: Equatable, Sendable {
  /// PEM: the certificate, then its intermediates.
  package var certificate: String
  /// PEM, not encrypted.
  package var key: String
  /// DER: an OCSP response to staple; a file that is not there is no error, nothing is stapled.
  package var status: String?

  package init(certificate: String, key: String, status: String? = nil) {
    self.certificate = certificate
    self.key = key
    self.status = status
  }
}

/// What a server's context is made from.
package struct TLSServerConfiguration: Sendable {
  /// The first one answers clients that name no server, or one that no certificate has.
  package var certificates: [TLSCertificateFiles]
  /// Application protocols in our order of preference (`h2`, `http/1.1`); empty: ALPN is ignored.
  package var protocols: [String]
  /// Whether AES-GCM comes from libipsec-mb.
  package var fastCipher: FastCipher.Mode
  /// Smallest version; the largest is TLS 1.3.
  package var least: TLSVersion

  package init(
    certificates: [TLSCertificateFiles], protocols: [String] = ["h2", "http/1.1"],
    fastCipher: FastCipher.Mode = .auto, least: TLSVersion = .tls12
  ) {
    self.certificates = certificates
    self.protocols = protocols
    self.fastCipher = fastCipher
    self.least = least
  }
}

/// What a client's context is made from.
package struct TLSClientConfiguration: Sendable {
  package enum Trust: Equatable, Sendable {
    /// The system's certificate authorities.
    case system
    /// The authorities of one PEM file, and no others.
    case file(String)
    /// Anybody. For tests, and where a person said so.
    case anybody
  }

  package var trust: Trust
  /// Offered in this order; empty: no ALPN.
  package var protocols: [String]
  package var fastCipher: FastCipher.Mode
  package var least: TLSVersion
  package var most: TLSVersion

  package init(
    trust: Trust = .system, protocols: [String] = [], fastCipher: FastCipher.Mode = .auto,
    least: TLSVersion = .tls12, most: TLSVersion = .tls13
  ) {
    self.trust = trust
    self.protocols = protocols
    self.fastCipher = fastCipher
    self.least = least
    self.most = most
  }
}

/// Versions of the protocol that we speak.
package enum TLSVersion: Int32, Sendable {
  case tls12 = 0x0303
  case tls13 = 0x0304
}

/// The files of one server certificate.
package struct TLSCertificateFiles: Equatable, Sendable {
  /// PEM: the certificate, then its intermediates.
  package var certificate: String
  /// PEM, not encrypted.
  package var key: String
  /// DER: an OCSP response to staple; a file that is not there is no error, nothing is stapled.
  package var status: String?
  /// The part of the configuration that names them, for errors.
  package var section: String

  package init(certificate: String, key: String, status: String? = nil, section: String = "tls") {
    self.certificate = certificate
    self.key = key
    self.status = status
    self.section = section
  }
}

/// What a server's context is made from.
package struct TLSServerConfiguration: Sendable {
  /// Which clients show a certificate.
  package enum Clients: Equatable, Sendable {
    /// None is asked for.
    case anonymous
    /// Who has none of the authorities of a PEM file is refused. No session of such a server is
    /// resumed.
    case certified(authorities: String)

    /// The file of authorities.
    var authorities: String? {
      switch self {
      case .anonymous: nil
      case .certified(let file): file
      }
    }
  }

  /// The first one answers clients that name no server, or one that no certificate has.
  package var certificates: [TLSCertificateFiles]
  /// Application protocols in our order of preference (`h2`, `http/1.1`); empty: ALPN is ignored.
  package var protocols: [String]
  /// Whether AES-GCM comes from libipsec-mb.
  package var fastCipher: FastCipher.Mode
  /// Smallest version; the largest is TLS 1.3.
  package var least: TLSVersion
  package var clients: Clients

  package init(
    certificates: [TLSCertificateFiles], protocols: [String] = ["h2", "http/1.1"],
    fastCipher: FastCipher.Mode = .auto, least: TLSVersion = .tls12, clients: Clients = .anonymous
  ) {
    self.clients = clients
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
  /// What is shown to servers that ask for it.
  package var certificate: TLSCertificateFiles?
  /// Offered in this order; empty: no ALPN.
  package var protocols: [String]
  package var fastCipher: FastCipher.Mode
  package var least: TLSVersion
  package var most: TLSVersion

  package init(
    trust: Trust = .system, certificate: TLSCertificateFiles? = nil, protocols: [String] = [],
    fastCipher: FastCipher.Mode = .auto,
    least: TLSVersion = .tls12, most: TLSVersion = .tls13
  ) {
    self.trust = trust
    self.certificate = certificate
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

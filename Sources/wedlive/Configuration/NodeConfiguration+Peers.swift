import TLS

/// How nodes of a cluster know each other by certificates.
struct PeerCertificates: Sendable {
  let files: TLSCertificateFiles
  let authorities: String
  let fastCipher: FastCipher.Mode

  /// For `listen.peers` and, without protocols, `listen.peers_rtmps`.
  func server(_ protocols: [String] = ["h2", "http/1.1"]) -> TLSServerConfiguration {
    TLSServerConfiguration(
      certificates: [files], protocols: protocols, fastCipher: fastCipher,
      clients: .certified(authorities: authorities))
  }

  /// For connections to other nodes.
  var client: TLSClientConfiguration {
    TLSClientConfiguration(
      trust: .file(authorities), certificate: files, fastCipher: fastCipher)
  }
}

extension NodeConfiguration {
  /// Nil where the pass alone says who is a node.
  var peers: PeerCertificates? {
    guard let certificate = cluster.certificate, let key = cluster.key,
      let authorities = cluster.certificateAuthorities
    else { return nil }
    return PeerCertificates(
      files: TLSCertificateFiles(certificate: certificate, key: key, section: "cluster"),
      authorities: authorities, fastCipher: fastCipher)
  }
}

import COpenSSL
import Glibc

/// A certificate for the first standalone start: good enough to try, and browsers say what it is.
package enum SelfSignedCertificate {
  /// Makes a P-256 key and a certificate for `localhost`, both loopback addresses and more names.
  ///
  /// - Parameters:
  ///   - names: DNS names and IP addresses besides those of this machine's loopback.
  ///   - directory: exists; gets `certificate.pem` and `key.pem` (mode 0600), each replaced whole.
  ///   - days: validity from an hour ago on.
  /// - Returns: the two files.
  /// - Throws: an error that names the file which cannot be written.
  package static func make(
    names: [String] = [], at directory: String, days: Int = 397
  ) throws(TLSError) -> TLSCertificateFiles {
    let key = try CertificateKey()
    let loopback = ["localhost", "127.0.0.1", "::1"]
    let all = loopback + names.filter { !loopback.contains($0) }
    let certificate = try IssuedCertificate(
      subject: names.first ?? "localhost", names: all, key: key, issuer: nil, days: days)
    let files = TLSCertificateFiles(
      certificate: directory + "/certificate.pem", key: directory + "/key.pem")
    try key.write(to: files.key)
    try certificate.write(to: files.certificate)
    return files
  }
}

/// A small certificate authority for a development cluster, and leaves signed by it.
package struct CertificateAuthority {
  private let key: CertificateKey
  private let certificate: IssuedCertificate

  /// PEM of the authority: what clients are to trust.
  package let certificatePath: String

  /// Makes an authority: `ca.pem`, `ca.key` (mode 0600) in a directory that exists.
  package init(
    name: String = "WedLive development CA", at directory: String, days: Int = 3650
  ) throws(TLSError) {
    key = try CertificateKey()
    certificate = try IssuedCertificate(
      subject: name, names: [], key: key, issuer: nil, days: days, isAuthority: true)
    certificatePath = directory + "/ca.pem"
    try key.write(to: directory + "/ca.key")
    try certificate.write(to: certificatePath)
  }

  /// Takes the authority that is in a directory: `ca.pem` and `ca.key`.
  ///
  /// - Throws: an error that names the file which can't be used, or says that they aren't a pair.
  package init(reading directory: String) throws(TLSError) {
    certificatePath = directory + "/ca.pem"
    let keyPath = directory + "/ca.key"
    key = try CertificateKey(reading: keyPath)
    certificate = try IssuedCertificate(reading: certificatePath)
    guard unsafe X509_check_private_key(certificate.raw, key.raw) == 1 else {
      throw .openSSL(
        .keyMismatch, "the key \(keyPath) does not belong to the certificate \(certificatePath)")
    }
  }

  /// Makes a leaf for a server: `{file}.pem`, `{file}.key` (mode 0600).
  ///
  /// - Parameters:
  ///   - names: DNS names (`*.example.org` too) and IP addresses; the first is the subject.
  ///   - file: path without ending.
  ///   - subject: the common name; the first of the names where none is given.
  ///   - isNode: whether it is shown to servers, too, as nodes of a cluster do.
  ///   - days: validity from an hour ago on.
  /// - Returns: the two files.
  /// - Throws: an error that names the file which cannot be written.
  package func leaf(
    names: [String], at file: String, subject: String? = nil, isNode: Bool = false, days: Int = 397
  ) throws(TLSError) -> TLSCertificateFiles {
    let leafKey = try CertificateKey()
    let leaf = try IssuedCertificate(
      subject: subject ?? names.first ?? "localhost", names: names, key: leafKey,
      issuer: (certificate, key), days: days, isClient: isNode)
    let files = TLSCertificateFiles(certificate: file + ".pem", key: file + ".key")
    try leafKey.write(to: files.key)
    try leaf.write(to: files.certificate)
    return files
  }
}

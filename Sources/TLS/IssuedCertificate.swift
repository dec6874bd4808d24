import COpenSSL
import Glibc

/// A P-256 private key.
@safe final class CertificateKey {
  let raw: OpaquePointer

  init() throws(TLSError) {
    guard let key = unsafe wl_new_p256_key() else {
      throw .openSSL(.library, "no P-256 key could be made")
    }
    unsafe raw = key
  }

  /// Reads a key that was written before.
  init(reading path: String) throws(TLSError) {
    guard let file = unsafe BIO_new_file(path, "rb") else {
      throw .openSSL(.unreadableKey, "the key \(path) cannot be read")
    }
    defer { unsafe BIO_free(file) }
    // A passphrase is no question on the terminal.
    guard let key = unsafe PEM_read_bio_PrivateKey(file, nil, { _, _, _, _ in 0 }, nil) else {
      throw .openSSL(.unreadableKey, "the key \(path) cannot be used")
    }
    unsafe raw = key
  }

  /// Writes the key as PEM that only its owner can read.
  func write(to path: String) throws(TLSError) {
    try unsafe PEMFile.write(to: path, mode: 0o600) { file in
      unsafe PEM_write_bio_PrivateKey(file, raw, nil, nil, 0, nil, nil) == 1
    }
  }

  deinit { unsafe EVP_PKEY_free(raw) }
}

/// An X.509 certificate that we signed.
@safe final class IssuedCertificate {
  let raw: OpaquePointer

  /// Makes and signs a certificate.
  ///
  /// - Parameters:
  ///   - subject: the common name.
  ///   - names: DNS names and IP addresses of the subjectAltName; none: no such extension.
  ///   - key: whose public half it carries.
  ///   - issuer: nil signs it with its own key.
  ///   - days: validity from an hour ago on.
  ///   - isAuthority: whether it may sign others.
  ///   - isClient: whether it may be shown to servers, too.
  /// - Throws: `.library` where OpenSSL refuses.
  init(
    subject: String, names: [String], key: CertificateKey,
    issuer: (certificate: IssuedCertificate, key: CertificateKey)?, days: Int,
    isAuthority: Bool = false, isClient: Bool = false
  ) throws(TLSError) {
    guard let certificate = unsafe X509_new() else {
      throw .openSSL(.library, "no certificate could be made")
    }
    unsafe raw = certificate
    let alternative = names.map(IssuedCertificate.alternativeName).joined(separator: ",")
    let extensions: [(Int32, String)] = [
      (NID_basic_constraints, isAuthority ? "critical,CA:TRUE" : "critical,CA:FALSE"),
      (NID_key_usage, isAuthority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"),
      (NID_subject_key_identifier, "hash"),
      (NID_authority_key_identifier, "keyid:always"),
    ]
    let usage = isClient ? "serverAuth,clientAuth" : "serverAuth"
    let serverOnly: [(Int32, String)] = isAuthority ? [] : [(NID_ext_key_usage, usage)]
    let named: [(Int32, String)] = names.isEmpty ? [] : [(NID_subject_alt_name, alternative)]

    var fine = unsafe wl_certificate_begin(certificate, key.raw, subject, Int32(days)) == 1
    let parent = unsafe issuer?.certificate.raw ?? certificate
    fine = unsafe fine && X509_set_issuer_name(certificate, X509_get_subject_name(parent)) == 1
    for (nid, value) in extensions + serverOnly + named where fine {
      fine = unsafe wl_certificate_extend(certificate, parent, nid, value) == 1
    }
    fine = unsafe fine && X509_sign(certificate, issuer?.key.raw ?? key.raw, EVP_sha256()) > 0
    guard fine else {
      throw .openSSL(.library, "no certificate could be made for \(names.joined(separator: ", "))")
    }
  }

  /// Reads a certificate that was written before.
  init(reading path: String) throws(TLSError) {
    guard let file = unsafe BIO_new_file(path, "rb") else {
      throw .openSSL(.unreadableCertificate, "the certificate \(path) cannot be read")
    }
    defer { unsafe BIO_free(file) }
    guard let certificate = unsafe PEM_read_bio_X509(file, nil, { _, _, _, _ in 0 }, nil) else {
      throw .openSSL(.unreadableCertificate, "the certificate \(path) cannot be used")
    }
    unsafe raw = certificate
  }

  func write(to path: String) throws(TLSError) {
    try unsafe PEMFile.write(to: path, mode: 0o644) { file in
      unsafe PEM_write_bio_X509(file, raw) == 1
    }
  }

  deinit { unsafe X509_free(raw) }

  /// A name as OpenSSL's configuration language writes it; characters it gives a meaning are left
  /// out.
  private static func alternativeName(_ name: String) -> String {
    let plain = String(name.filter { !",;\"\\\n= ".contains($0) })
    let address = unsafe a2i_IPADDRESS(plain)
    ERR_clear_error()
    guard let address = unsafe address else { return "DNS:" + plain }
    unsafe ASN1_OCTET_STRING_free(address)
    return "IP:" + plain
  }
}

/// Writes a PEM file whole: beside it first, then renamed over it.
enum PEMFile {
  static func write(
    to path: String, mode: mode_t, _ body: (OpaquePointer) -> Bool
  ) throws(TLSError) {
    let new = path + ".new"
    unsafe _ = unlink(new)
    let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0, let file = unsafe BIO_new_fd(descriptor, BIO_CLOSE) else {
      throw TLSError(
        .unwritable, unsafe "cannot write \(new): \(String(cString: strerror(errno)))")
    }
    let written = unsafe body(file) && fsync(descriptor) == 0
    unsafe BIO_free(file)
    guard written, unsafe rename(new, path) == 0 else {
      let words = unsafe String(cString: strerror(errno))
      unsafe _ = unlink(new)
      throw TLSError(.unwritable, "cannot write \(path): \(words)")
    }
  }
}

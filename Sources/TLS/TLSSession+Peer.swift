import COpenSSL

extension TLSSession {
  /// The application protocol agreed on (`h2`, `http/1.1`), or nil where there is none.
  package var selectedProtocol: String? {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl, &name, &count)
    guard let name = unsafe name, count > 0 else { return nil }
    return unsafe String(
      decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
  }

  /// Whether `h2` was agreed on; makes no string.
  package var selectedHTTP2: Bool {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl, &name, &count)
    guard let name = unsafe name, count == 2 else { return false }
    return unsafe name[0] == UInt8(ascii: "h") && name[1] == UInt8(ascii: "2")
  }

  /// The server name that the client asked for, or nil.
  package var serverName: String? {
    unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { unsafe String(cString: $0) }
  }

  /// Whether a ticket spared the full handshake.
  package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

  /// `TLSv1.3` or `TLSv1.2`.
  package var versionName: String { unsafe String(cString: SSL_get_version(ssl)) }

  /// OpenSSL's name of the cipher, such as `TLS_AES_128_GCM_SHA256`.
  package var cipherName: String? {
    guard let cipher = unsafe SSL_get_current_cipher(ssl),
      let name = unsafe SSL_CIPHER_get_name(cipher)
    else { return nil }
    return unsafe String(cString: name)
  }

  /// Whether the peer has shown a certificate of the authorities that are trusted here.
  package var isPeerCertified: Bool {
    unsafe SSL_get0_peer_certificate(ssl) != nil && SSL_get_verify_result(ssl) == X509_V_OK
      && SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER != 0
  }

  /// The peer's certificate in DER, or nil where it showed none.
  package var peerCertificate: [UInt8]? {
    guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = unsafe i2d_X509(certificate, &bytes)
    guard count > 0, let bytes = unsafe bytes else { return nil }
    defer { unsafe CRYPTO_free(bytes, "", 0) }
    return unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: Int(count)))
  }

  /// The OCSP response that the server stapled, for a client; nil where there is none.
  package var peerStatus: [UInt8]? {
    var bytes: UnsafePointer<UInt8>?
    let count = unsafe wl_status(ssl, &bytes)
    guard count > 0, let bytes = unsafe bytes else { return nil }
    return unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
  }

  /// Why the peer's certificate was refused, in OpenSSL's words; nil where it was not.
  package var verificationFailure: String? {
    let code = unsafe SSL_get_verify_result(ssl)
    guard code != X509_V_OK, let words = unsafe X509_verify_cert_error_string(code) else {
      return nil
    }
    return unsafe String(cString: words)
  }

  /// What a client needs to resume later; nil before the server has sent a ticket.
  package var resumption: TLSResumption? {
    guard let session = unsafe SSL_get1_session(ssl) else { return nil }
    guard unsafe SSL_SESSION_is_resumable(session) == 1 else {
      unsafe SSL_SESSION_free(session)
      return nil
    }
    return unsafe TLSResumption(session)
  }

  /// Says which name the server's certificate must have, and sends it as SNI if it is a DNS name.
  func setPeerName(_ name: String) -> Bool {
    guard !name.isEmpty else { return true }
    unsafe wl_request_status(ssl)
    let address = unsafe a2i_IPADDRESS(name)
    if let address = unsafe address {
      unsafe ASN1_OCTET_STRING_free(address)
      return unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1
    }
    ERR_clear_error()
    return unsafe SSL_set1_host(ssl, name) == 1 && wl_set_host_name(ssl, name) == 1
  }
}

/// A session to resume: a ticket and its secret.
@safe package final class TLSResumption: @unchecked Sendable {
  // Sendable: an SSL_SESSION is reference counted atomically and only read once it is resumable.
  let raw: OpaquePointer

  init(_ raw: OpaquePointer) { unsafe self.raw = raw }

  deinit { unsafe SSL_SESSION_free(raw) }
}

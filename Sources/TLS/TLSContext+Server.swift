import COpenSSL
import Glibc

extension TLSContext {
  /// Makes a server's context out of files.
  ///
  /// - Parameters:
  ///   - configuration: at least one certificate.
  ///   - tickets: keys that other nodes have as well, or random ones of this process.
  /// - Returns: a context that `TLSSession(server:buffers:)` takes.
  /// - Throws: an error that names the file; nothing is kept then.
  package static func server(
    _ configuration: TLSServerConfiguration, tickets: TicketKeys = .random()
  ) throws(TLSError) -> TLSContext {
    guard !configuration.certificates.isEmpty else {
      throw TLSError(
        .noCertificate, "a TLS listener needs a certificate: set tls.certificate and tls.key")
    }
    var raw: [OpaquePointer] = unsafe []
    var names = ServerNames()
    var summaries: [TLSCertificateSummary] = []
    var statuses: [[UInt8]] = []
    var fast = false
    let protocols = wire(configuration.protocols)
    do {
      for (index, files) in configuration.certificates.enumerated() {
        let made = try unsafe make(
          TLS_server_method(), configuration.fastCipher, least: configuration.least, most: .tls13)
        unsafe raw.append(made.context)
        unsafe fast = made.fast
        let summary = try unsafe load(files, into: made.context)
        names.add(summary.names, certificate: index)
        summaries.append(summary)
        statuses.append(try status(files))
        unsafe setServerCallbacks(made.context, protocols: !protocols.isEmpty)
        try unsafe ask(configuration.clients, in: made.context)
      }
    } catch {
      unsafe raw.forEach { unsafe SSL_CTX_free($0) }
      throw error
    }
    return unsafe TLSContext(
      role: .server, raw: raw, names: names, certificates: summaries, usesFastCipher: fast,
      sealsDirectly: fast && DirectSealing.works,
      protocols: protocols, statuses: statuses, tickets: tickets)
  }

  /// A server with a certificate of its own making that is never written down.
  static func trialServer() throws(TLSError) -> TLSContext {
    let made = try unsafe make(TLS_server_method(), .on, least: .tls13, most: .tls13)
    let context = unsafe TLSContext(
      role: .server, raw: [made.context], usesFastCipher: made.fast, sealsDirectly: false,
      protocols: [],
      tickets: TicketKeys([]))
    let key = try CertificateKey()
    let certificate = try IssuedCertificate(
      subject: "trial", names: ["trial"], key: key, issuer: nil, days: 1)
    guard unsafe SSL_CTX_use_certificate(made.context, certificate.raw) == 1,
      unsafe SSL_CTX_use_PrivateKey(made.context, key.raw) == 1
    else { throw .openSSL(.library, "OpenSSL refused a certificate of its own") }
    return context
  }

  private static func setServerCallbacks(_ context: OpaquePointer, protocols: Bool) {
    unsafe wl_ctx_session_cache_off(context)
    // Two tickets, the default, cost a full handshake 5 % more and serve clients that we do not
    // have. RTMPS (no protocols) gives none in TLS 1.3: its clients never come back with one, and
    // librtmp over GnuTLS takes a ticket for the end of the connection.
    unsafe SSL_CTX_set_num_tickets(context, protocols ? 1 : 0)
    var identity: [UInt8] = Array("wedlive".utf8)
    unsafe SSL_CTX_set_session_id_context(context, &identity, UInt32(identity.count))
    unsafe wl_ctx_set_servername_callback(context, chooseCertificate)
    unsafe wl_ctx_set_status_callback(context, staple)
    unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticketKey)
    if protocols { unsafe SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil) }
  }

  /// Has clients show certificates.
  private static func ask(
    _ clients: TLSServerConfiguration.Clients, in context: OpaquePointer
  ) throws(TLSError) {
    guard let file = clients.authorities else { return }
    let names = unsafe SSL_load_client_CA_file(file)
    guard let names = unsafe names, unsafe SSL_CTX_load_verify_file(context, file) == 1 else {
      throw .openSSL(
        .unreadableAuthority, "the certificate authorities of \(file) cannot be used",
        advice: "give a PEM file of authorities this user can read")
    }
    // The context owns the list from here on.
    unsafe SSL_CTX_set_client_CA_list(context, names)
    unsafe SSL_CTX_set_verify(
      context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    // Whoever is refused from now on, as a certificate has expired or the authority is another,
    // would come back by a ticket; and tickets of other servers of this process would open it.
    var identity: [UInt8] = Array("wedlive peers".utf8)
    unsafe SSL_CTX_set_session_id_context(context, &identity, UInt32(identity.count))
    unsafe SSL_CTX_set_options(context, wl_op_no_ticket)
    unsafe SSL_CTX_set_num_tickets(context, 0)
  }

  static func load(
    _ files: TLSCertificateFiles, into context: OpaquePointer
  ) throws(TLSError) -> TLSCertificateSummary {
    try requireRegular(files.key, "key", .unreadableKey)
    try unsafe use(certificate: files.certificate, files.section, in: context)
    try unsafe use(key: files.key, files.section, in: context, beside: files.certificate)
    guard let certificate = unsafe SSL_CTX_get0_certificate(context) else {
      throw .openSSL(.unreadableCertificate, "the file \(files.certificate) holds no certificate")
    }
    return unsafe TLSCertificateSummary(file: files.certificate, certificate)
  }

  /// What is wrong with a certificate by itself, whatever its key is.
  ///
  /// - Parameters:
  ///   - path: of its file.
  ///   - section: the part of the configuration that names it.
  /// - Returns: nil where nothing is.
  package static func problem(ofCertificate path: String, section: String) -> TLSError? {
    unsafe problem { context throws(TLSError) in
      try unsafe use(certificate: path, section, in: context)
    }
  }

  /// What is wrong with a key by itself, whatever certificate it is for.
  ///
  /// - Parameters:
  ///   - path: of its file.
  ///   - section: the part of the configuration that names it.
  /// - Returns: nil where nothing is.
  package static func problem(ofKey path: String, section: String) -> TLSError? {
    unsafe problem { context throws(TLSError) in try unsafe use(key: path, section, in: context) }
  }

  private static func problem(_ look: (OpaquePointer) throws(TLSError) -> Void) -> TLSError? {
    do throws(TLSError) {
      let made = try unsafe make(TLS_server_method(), .off, least: .tls12, most: .tls13)
      defer { unsafe SSL_CTX_free(made.context) }
      try unsafe look(made.context)
      return nil
    } catch {
      return error
    }
  }

  private static func use(
    certificate path: String, _ section: String, in context: OpaquePointer
  ) throws(TLSError) {
    try requireRegular(path, "certificate", .unreadableCertificate)
    guard unsafe SSL_CTX_use_certificate_chain_file(context, path) == 1 else {
      throw .openSSL(
        .unreadableCertificate, "the certificate \(path) cannot be used",
        advice:
          "\(section).certificate has to be a PEM file this user can read, the node's own"
          + " certificate first")
    }
  }

  private static func use(
    key path: String, _ section: String, in context: OpaquePointer,
    beside certificate: String? = nil
  ) throws(TLSError) {
    try requireRegular(path, "key", .unreadableKey)
    guard unsafe SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1 else {
      let mismatch =
        wl_err_reason(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH
        || wl_err_reason(ERR_peek_error()) == X509_R_KEY_TYPE_MISMATCH
      guard mismatch, let certificate else {
        throw .openSSL(
          .unreadableKey, "the key \(path) cannot be used",
          advice: "\(section).key has to be an unencrypted PEM file this user can read")
      }
      throw .openSSL(
        .keyMismatch, "the key \(path) does not belong to the certificate \(certificate)",
        advice: "give the key that the certificate was requested with")
    }
  }

  /// Refuses what would block its reader, such as a pipe; what isn't there is OpenSSL's to say.
  private static func requireRegular(
    _ path: String, _ what: String, _ code: TLSError.Code
  ) throws(TLSError) {
    var about = stat()
    guard unsafe stat(path, &about) == 0, about.st_mode & S_IFMT != S_IFREG else { return }
    throw TLSError(code, "the \(what) \(path) is no regular file; give one that can be read again")
  }

  private static func status(_ files: TLSCertificateFiles) throws(TLSError) -> [UInt8] {
    guard let path = files.status else { return [] }
    try requireRegular(path, "OCSP response", .unreadableStatus)
    guard let file = unsafe BIO_new_file(path, "rb") else {
      ERR_clear_error()
      return []
    }
    defer { unsafe BIO_free(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe BIO_read(file, &chunk, Int32(chunk.count))
      if count <= 0 { break }
      bytes += chunk[..<Int(count)]
      guard bytes.count <= 65_535 else {
        throw TLSError(
          .unreadableStatus, "the OCSP response \(path) is larger than 65535 bytes; give one in DER"
        )
      }
    }
    return bytes
  }
}

// MARK: - Callbacks of libssl

/// SNI: continues with the SSL_CTX of the certificate that has the name, or with the first.
private func chooseCertificate(
  _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let raw = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
    let context = unsafe TLSContext.of(ssl)
  else { return SSL_TLSEXT_ERR_NOACK }
  let name = unsafe String(cString: raw)
  // No match is no error: the client judges the certificate it gets (as every web server does).
  guard let index = context.names.certificate(for: name) else { return SSL_TLSEXT_ERR_NOACK }
  if index > 0, unsafe SSL_set_SSL_CTX(ssl, context.raw[index]) == nil {
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
  return SSL_TLSEXT_ERR_OK
}

/// ALPN: the first of our protocols that the client offers; none in common ends the handshake.
private func chooseProtocol(
  _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
  _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
  _ offeredCount: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context = unsafe TLSContext.of(ssl), let offered = unsafe offered,
    let chosen = unsafe chosen, let chosenCount = unsafe chosenCount
  else { return SSL_TLSEXT_ERR_ALERT_FATAL }
  let count = Int(offeredCount)
  return unsafe context.protocols.withUnsafeBufferPointer { ours in
    var mine = 0
    while mine < ours.count {
      let length = unsafe Int(ours[mine])
      var theirs = 0
      while theirs < count {
        let theirLength = unsafe Int(offered[theirs])
        guard theirs + 1 + theirLength <= count else { break }
        if theirLength == length,
          unsafe memcmp(offered + theirs + 1, ours.baseAddress.unsafelyUnwrapped + mine + 1, length)
            == 0
        {
          unsafe chosen.pointee = offered + theirs + 1
          unsafe chosenCount.pointee = UInt8(length)
          return SSL_TLSEXT_ERR_OK
        }
        theirs += 1 + theirLength
      }
      mine += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
}

/// Staples the OCSP response of the certificate in use.
private func staple(_ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let context = unsafe TLSContext.of(ssl), let current = unsafe SSL_get_SSL_CTX(ssl),
    let index = unsafe context.raw.firstIndex(of: current), index < context.statuses.count,
    !context.statuses[index].isEmpty
  else { return SSL_TLSEXT_ERR_NOACK }
  let status = context.statuses[index]
  return unsafe wl_set_status(ssl, status, status.count) == 1
    ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
}

/// Seals (`encrypt` 1) or opens a ticket with a key of ours.
///
/// - Returns: 1 done, 2 done but renew the ticket, 0 no such key (a full handshake), -1 failure.
private func ticketKey(
  _ ssl: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?, _ iv: UnsafeMutablePointer<UInt8>?,
  _ cipher: OpaquePointer?, _ mac: OpaquePointer?, _ encrypt: Int32
) -> Int32 {
  guard let context = unsafe TLSContext.of(ssl), let name = unsafe name, let iv = unsafe iv
  else { return -1 }
  let keys = context.ticketKeys
  let key: TicketKey
  var answer: Int32 = 1
  if encrypt == 1 {
    guard let current = keys.current, unsafe RAND_bytes(iv, 16) == 1 else { return 0 }
    key = current
    unsafe key.name.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { unsafe memcpy(name, base, 16) }
    }
  } else {
    guard let index = unsafe keys.index(named: name) else { return 0 }
    key = keys.keys[index]
    // A TLS 1.3 client uses a ticket once: without a new one its next connection starts from
    // nothing.
    answer = unsafe index == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2
  }
  return unsafe TicketSealing.initialise(key, iv: iv, cipher: cipher, mac: mac, encrypt: encrypt)
    ? answer : -1
}

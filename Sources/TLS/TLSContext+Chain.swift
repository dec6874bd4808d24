import COpenSSL

extension TLSContext {
  /// Looks whether a server that lets in only who has a certificate of some authorities has one of
  /// them itself: all others are told to judge by the same file, and would refuse it.
  ///
  /// Dates don't count: an expired certificate is warned of, not refused (`TLSCertificateSummary`).
  ///
  /// - Parameter configuration: what this context was made from.
  /// - Throws: `.otherAuthority` naming the certificate's file, that of the authorities and what to
  ///   do; nothing where no authorities are asked for.
  package func requireOwnAuthority(_ configuration: TLSServerConfiguration) throws(TLSError) {
    guard let authorities = configuration.clients.authorities else { return }
    for (index, files) in configuration.certificates.enumerated() {
      guard let refusal = try unsafe Self.refusal(of: raw[index]) else { continue }
      throw TLSError(
        .otherAuthority,
        "the certificate \(files.certificate) is of no authority in \(authorities) (\(refusal)), so no"
          + " other node would believe it; give \(files.section).certificate one of that authority"
          + " (`wedlive certs --node NAME` beside its ca.pem and ca.key), or have"
          + " \(files.section).ca hold the authority that signed it")
    }
  }

  /// Judges a context's certificate by the authorities that it judges others by.
  ///
  /// - Returns: nil where it is of one of them; OpenSSL's words where it isn't.
  /// - Throws: `.library` where OpenSSL has no memory for it.
  private static func refusal(of context: OpaquePointer) throws(TLSError) -> String? {
    // The leaf, its chain and the store are the context's, which outlives this call; what is made
    // here is given back at its end.
    guard let judge = unsafe X509_STORE_CTX_new() else {
      throw .openSSL(.library, "a certificate can't be judged")
    }
    defer { unsafe X509_STORE_CTX_free(judge) }
    guard
      unsafe X509_STORE_CTX_init(
        judge, SSL_CTX_get_cert_store(context), SSL_CTX_get0_certificate(context),
        wl_ctx_chain(context)) == 1
    else { throw .openSSL(.library, "a certificate can't be judged") }
    unsafe X509_STORE_CTX_set_flags(judge, UInt(X509_V_FLAG_NO_CHECK_TIME))
    // It leaves words in the thread's queue, which the next session would take for its own.
    defer { OpenSSLErrors.clear() }
    if unsafe X509_verify_cert(judge) == 1 { return nil }
    let code = unsafe X509_STORE_CTX_get_error(judge)
    return unsafe String(cString: X509_verify_cert_error_string(Int(code)))
  }
}

import COpenSSL

extension TLSContext {
  /// Makes a client's context.
  ///
  /// - Throws: an error that names the file, where it is one.
  package static func client(
    _ configuration: TLSClientConfiguration = TLSClientConfiguration()
  ) throws(TLSError) -> TLSContext {
    let made = try unsafe make(
      TLS_client_method(), configuration.fastCipher, least: configuration.least,
      most: configuration.most)
    let context = unsafe made.context
    do {
      try unsafe trust(configuration.trust, in: context)
      if let files = configuration.certificate { _ = try unsafe load(files, into: context) }
    } catch {
      unsafe SSL_CTX_free(context)
      throw error
    }
    unsafe wl_ctx_session_cache_client(context)
    let protocols = wire(configuration.protocols)
    // Zero is success here, unlike everywhere else in OpenSSL.
    if !protocols.isEmpty,
      unsafe SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) != 0
    {
      unsafe SSL_CTX_free(context)
      throw .openSSL(.library, "OpenSSL refused the list of application protocols")
    }
    return unsafe TLSContext(
      role: .client, raw: [context], usesFastCipher: made.fast,
      sealsDirectly: made.fast && DirectSealing.works, protocols: protocols,
      tickets: TicketKeys([]))
  }

  private static func trust(
    _ trust: TLSClientConfiguration.Trust, in context: OpaquePointer
  ) throws(TLSError) {
    switch trust {
    case .anybody:
      unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
      return
    case .system:
      guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
        throw .openSSL(.unreadableAuthority, "the system's certificate authorities cannot be read")
      }
    case .file(let path):
      guard unsafe SSL_CTX_load_verify_file(context, path) == 1 else {
        throw .openSSL(
          .unreadableAuthority, "the certificate authorities of \(path) cannot be used",
          advice: "give a PEM file of authorities this user can read")
      }
    }
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
  }
}

import COpenSSL

/// AES-GCM from libipsec-mb, where CPU and library allow.
package enum FastCipher {
  package enum Mode: String, CaseIterable, Sendable {
    /// Used where it can be, silently not where it cannot.
    case auto
    /// An error where it cannot be used.
    case on
    case off
  }

  /// Whether this machine can use it.
  package static var isAvailable: Bool { found.reason == nil }

  /// What to say of it in a banner: `libipsec-mb 1.3.0`, or `off: why`.
  package static func status(_ mode: Mode) -> String {
    if mode == .off { return "off" }
    return found.reason.map { "off: \($0)" } ?? "libipsec-mb \(found.version)"
  }

  /// The library context to make an SSL_CTX in; nil is OpenSSL's default one, without the provider.
  ///
  /// - Parameter mode: as configured.
  /// - Returns: a context that lives as long as the process.
  /// - Throws: `.fastCipherUnavailable` for `on` where it cannot be.
  static func library(_ mode: Mode) throws(TLSError) -> OpaquePointer? {
    switch mode {
    case .off: return nil
    case .auto: return unsafe found.context
    case .on:
      if let reason = found.reason {
        throw TLSError(
          .fastCipherUnavailable,
          "tls.fast_cipher is on, but \(reason); set it to auto to go on with OpenSSL's own cipher")
      }
      return unsafe found.context
    }
  }

  /// Ciphers of the provider are preferred; what it has not comes from the default one.
  static let properties = "?provider=wedlive"

  /// Looked for once per process.
  private static let found = Found()

  @safe private struct Found: @unchecked Sendable {
    // Sendable: written once; an OSSL_LIB_CTX is thread-safe.
    let context: OpaquePointer?
    let reason: String?
    let version: String

    init() {
      defer { ERR_clear_error() }
      let library = unsafe FastCipherProvider.library
      unsafe library.initialize(to: wl_gcm_library())
      if let reason = unsafe wl_gcm_load(library) {
        unsafe (context, self.reason, version) = (nil, String(cString: reason), "")
        return
      }
      unsafe FastCipherProvider.layout = GCMContext.Layout(
        expandedBytes: library.pointee.expanded_bytes, stateBytes: library.pointee.state_bytes)
      version = unsafe String(cString: library.pointee.version)
      // Loading any provider by hand ends the default one's automatic loading: load both.
      guard let made = unsafe OSSL_LIB_CTX_new(),
        unsafe OSSL_PROVIDER_add_builtin(made, FastCipherProvider.name, wedliveProviderInit) == 1,
        unsafe OSSL_PROVIDER_load(made, FastCipherProvider.name) != nil,
        unsafe OSSL_PROVIDER_load(made, "default") != nil
      else {
        unsafe context = nil
        reason = "OpenSSL does not take the provider: \(OpenSSLErrors.take())"
        return
      }
      let agrees = unsafe CipherComparison.agrees(made)
      unsafe context = agrees ? made : nil
      reason = agrees ? nil : "libipsec-mb and OpenSSL disagree on a test message"
    }
  }
}

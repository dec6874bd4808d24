/// AES-GCM from libipsec-mb, where CPU and library allow.
package enum FastCipher {
  package enum Mode: String, CaseIterable, Sendable {
    /// Used where it can be, silently not where it cannot.
    case auto
    /// An error where it cannot be used.
    case on
    case off
  }

  /// The library context and property query to make an SSL_CTX with.
  static func library(_ mode: Mode) throws(TLSError) -> OpaquePointer? {
    guard mode == .on else { return nil }
    throw TLSError(
      .fastCipherUnavailable, "this build has no fast cipher; set tls.fast_cipher to auto")
  }

  /// Ciphers of this provider are preferred, others serve where it has none.
  static let properties = "?provider=wedlive"
}

import COpenSSL

/// Keys libssl's cipher and MAC contexts for one ticket.
enum TicketSealing {
  /// AES-256-CBC, fetched once: fetching by name costs more than sealing a ticket.
  nonisolated(unsafe) private static let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

  static func initialise(
    _ key: TicketKey, iv: UnsafePointer<UInt8>, cipher context: OpaquePointer?,
    mac: OpaquePointer?, encrypt: Int32
  ) -> Bool {
    guard let cipher = unsafe cipher,
      unsafe EVP_CipherInit_ex(context, cipher, nil, key.cipherKey, iv, encrypt) == 1
    else { return false }
    var digest = Array("SHA256".utf8CString)
    return unsafe digest.withUnsafeMutableBufferPointer { digest in
      var parameters = unsafe [
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.baseAddress, 0),
        OSSL_PARAM_construct_end(),
      ]
      return unsafe EVP_MAC_init(mac, key.macKey, key.macKey.count, &parameters) == 1
    }
  }
}

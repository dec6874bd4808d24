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
    return unsafe wl_ticket_mac(mac, key.macKey, key.macKey.count) == 1
  }
}

import COpenSSL
import Synchronization

/// What sessions are made from: certificates, protocols, ciphers, ticket keys.
///
/// Made from files once and never changed after, but for its ticket keys; a new certificate means a
/// new context (`TLSContextSource`), and sessions keep the one they were made from.
@safe package final class TLSContext: @unchecked Sendable {
  // Sendable: SSL_CTX counts its references atomically and is only read once it is set up; the
  // ticket keys are behind a mutex.

  package enum Role: Sendable { case server, client }

  package let role: Role
  /// One per certificate, all with the same settings; the first answers where no name decides.
  let raw: [OpaquePointer]
  let names: ServerNames
  /// What is served, in the order given.
  ///
  /// Empty for a client.
  package let certificates: [TLSCertificateSummary]
  /// Whether records are sealed by libipsec-mb.
  package let usesFastCipher: Bool
  /// Whether sessions may seal records straight from their pages (`DirectSealing`).
  let sealsDirectly: Bool
  /// Application protocols in wire form (a length byte before each), ours first.
  let protocols: [UInt8]
  let statuses: [[UInt8]]
  private let tickets: Mutex<TicketKeys>

  init(
    role: Role, raw: [OpaquePointer], names: ServerNames = ServerNames(),
    certificates: [TLSCertificateSummary] = [], usesFastCipher: Bool, sealsDirectly: Bool,
    protocols: [UInt8], statuses: [[UInt8]] = [], tickets: TicketKeys
  ) {
    self.role = role
    unsafe self.raw = raw
    self.names = names
    self.certificates = certificates
    self.usesFastCipher = usesFastCipher
    self.sealsDirectly = sealsDirectly
    self.protocols = protocols
    self.statuses = statuses
    self.tickets = Mutex(tickets)
    // Unretained: every SSL that can call back belongs to a session, which retains this.
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe raw.forEach { unsafe _ = SSL_CTX_set_ex_data($0, TLSContext.slot, this) }
  }

  deinit { unsafe raw.forEach { unsafe SSL_CTX_free($0) } }

  /// Keys that tickets are sealed and opened with; may be set at any time, from any thread.
  package var ticketKeys: TicketKeys {
    get { tickets.withLock { $0 } }
    set { tickets.withLock { $0 = newValue } }
  }

  /// SSL_CTX ex_data slot that leads C callbacks back here.
  static let slot: Int32 = wl_ctx_new_index()

  /// The context that a session was made from; valid in callbacks only.
  static func of(_ ssl: OpaquePointer?) -> TLSContext? {
    guard let context = unsafe SSL_get_SSL_CTX(ssl),
      let data = unsafe SSL_CTX_get_ex_data(context, slot)
    else { return nil }
    return unsafe Unmanaged<TLSContext>.fromOpaque(data).takeUnretainedValue()
  }

  /// A list of protocols as ALPN writes it; names that do not fit a length byte are left out.
  static func wire(_ protocols: [String]) -> [UInt8] {
    protocols.filter { (1...255).contains($0.utf8.count) }.flatMap {
      [UInt8($0.utf8.count)] + $0.utf8
    }
  }

  /// An SSL_CTX with everything set that servers and clients share.
  static func make(
    _ method: OpaquePointer?, _ fastCipher: FastCipher.Mode, least: TLSVersion, most: TLSVersion
  ) throws(TLSError) -> (context: OpaquePointer, fast: Bool) {
    OpenSSLErrors.clear()
    let library = try unsafe FastCipher.library(fastCipher)
    let made = unsafe library.map { unsafe SSL_CTX_new_ex($0, FastCipher.properties, method) }
    guard let context = unsafe made ?? SSL_CTX_new(method) else {
      throw .openSSL(.library, "no TLS context could be made")
    }
    // No partial writes: a call is only made when all its records fit into the output. No
    // SSL_MODE_RELEASE_BUFFERS: it allocates and frees per record, sessions free per turn.
    unsafe wl_ctx_set_mode(context, Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    unsafe SSL_CTX_set_options(context, wl_op_no_renegotiation | wl_op_no_compression)
    // A key that needs a passphrase is an error, not a question on the terminal.
    unsafe SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }
    guard unsafe wl_ctx_set_versions(context, least.rawValue, most.rawValue) == 1,
      unsafe wl_ctx_set_groups(context, "X25519:P-256:P-384") == 1,
      unsafe SSL_CTX_set_cipher_list(context, ciphers12) == 1,
      unsafe SSL_CTX_set_ciphersuites(context, ciphers13) == 1
    else {
      unsafe SSL_CTX_free(context)
      throw .openSSL(.library, "OpenSSL refused the versions, groups or ciphers")
    }
    return unsafe (context, library != nil)
  }

  /// The client's order decides among these: it knows whether it has AES instructions.
  private static let ciphers12 = [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
  ].joined(separator: ":")
  private static let ciphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
}

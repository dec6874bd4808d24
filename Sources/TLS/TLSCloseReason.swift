import COpenSSL

/// SSL_AD_REASON_OFFSET + the alert's number; OpenSSL 3.0 has no name for it.
private let alertNoApplicationProtocol: Int32 = 1000 + 120

/// Why a session is closed: few enough to be a metric's label.
package enum TLSCloseReason: String, CaseIterable, Sendable {
  /// The peer said close_notify: nothing is missing.
  case closeNotify = "close_notify"
  /// The peer's bytes ended without close_notify: what came last may have been cut off.
  case truncated
  /// An HTTP request without TLS: the client can be told so in its own language.
  case plainHTTP = "plain_http"
  /// The bytes were not TLS (RTMP, a port scan).
  case notTLS = "not_tls"
  /// The peer speaks only versions below TLS 1.2.
  case version = "unsupported_version"
  /// No cipher, group or signature in common.
  case noSharedCipher = "no_shared_cipher"
  /// No application protocol in common.
  case noSharedProtocol = "no_shared_protocol"
  /// We did not accept the peer's certificate.
  case certificateRefused = "certificate_refused"
  /// The peer did not accept ours.
  case certificateRefusedByPeer = "certificate_refused_by_peer"
  /// A record did not authenticate: damaged or forged.
  case badRecord = "bad_record"
  /// Anything else that the protocol forbids.
  case protocolViolation = "protocol_violation"
  /// The peer made us answer more than it was ready to read.
  case outputOverflow = "output_overflow"
  /// We closed: `shutdown()` and the peer's answer, or `fail()`.
  case local
  /// The library failed (out of memory).
  case failure

  /// Judges the error that libssl put first in the thread's queue, and empties the queue.
  static func taken() -> TLSCloseReason {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0 else { return .protocolViolation }
    guard wl_err_lib(code) == ERR_LIB_SSL else { return .failure }
    return switch wl_err_reason(code) {
    case SSL_R_HTTP_REQUEST: .plainHTTP
    case SSL_R_HTTPS_PROXY_REQUEST, SSL_R_WRONG_VERSION_NUMBER, SSL_R_BAD_RECORD_TYPE,
      SSL_R_RECORD_LENGTH_MISMATCH, SSL_R_UNEXPECTED_RECORD,
      SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_RECORD_TOO_SMALL:
      .notTLS
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_UNKNOWN_PROTOCOL,
      SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
      SSL_R_INAPPROPRIATE_FALLBACK:
      .version
    case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
      SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_GROUPS,
      SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      .noSharedCipher
    case SSL_R_NO_APPLICATION_PROTOCOL, alertNoApplicationProtocol: .noSharedProtocol
    case SSL_R_CERTIFICATE_VERIFY_FAILED: .certificateRefused
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
      SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
      SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
      SSL_R_TLSV1_UNRECOGNIZED_NAME:
      .certificateRefusedByPeer
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED,
      SSL_R_BLOCK_CIPHER_PAD_IS_WRONG, SSL_R_SSLV3_ALERT_BAD_RECORD_MAC:
      .badRecord
    default: .protocolViolation
    }
  }
}

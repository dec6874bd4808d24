import COpenSSL
import Glibc

/// What went wrong while a context or a certificate was made: always before traffic, never in it.
package struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable {
    /// The file cannot be opened or holds no PEM of the kind asked for.
    case unreadableCertificate, unreadableKey, unreadableAuthority, unreadableStatus
    /// Certificate and key are not of one pair.
    case keyMismatch
    /// A node's certificate is of none of the authorities by which it judges others.
    case otherAuthority
    /// Nothing to serve: a server needs at least one certificate.
    case noCertificate
    /// `fast_cipher: on` where it cannot be.
    case fastCipherUnavailable
    /// OpenSSL refused a setting; its own words are in the message.
    case library
    /// A file could not be written.
    case unwritable
  }

  package let code: Code

  /// One line that names the file, says what OpenSSL said and what to do.
  package let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }

  /// An error whose message ends with what OpenSSL has in its queue, which is then empty.
  static func openSSL(_ code: Code, _ what: String, advice: String = "") -> TLSError {
    let said = OpenSSLErrors.take()
    return TLSError(
      code, what + (said.isEmpty ? "" : ": \(said)") + (advice.isEmpty ? "" : "; \(advice)"))
  }
}

/// The calling thread's queue of OpenSSL errors.
enum OpenSSLErrors {
  /// Empties the queue if anything is in it.
  ///
  /// Costs one load when it is empty, which it always is
  /// unless another library on this thread left something: `SSL_get_error` would then misjudge.
  @inline(__always) static func clear() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  /// Marks a code that is an `errno`: for those OpenSSL has no words (`ERR_SYSTEM_FLAG`).
  private static let systemFlag: UInt = 1 << 31

  /// Takes everything out of the queue, oldest first, in OpenSSL's words.
  static func take() -> String {
    var words: [String] = []
    while true {
      let code = ERR_get_error()
      if code == 0 { break }
      if code & systemFlag != 0 {
        words.append(unsafe String(cString: strerror(Int32(code & (systemFlag - 1)))))
      } else if let reason = unsafe ERR_reason_error_string(code) {
        let word = unsafe String(cString: reason)
        if !words.contains(word) { words.append(word) }
      } else {
        words.append("error \(String(code, radix: 16))")
      }
    }
    return words.joined(separator: ", ")
  }
}

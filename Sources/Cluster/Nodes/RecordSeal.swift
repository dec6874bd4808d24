import Bytes
import Crypto

/// Seals records with the cluster's secret, so that nobody else can make one.
///
/// HMAC-SHA256 over the key and each value with its length before it, so that no two records are
/// written alike.
package struct RecordSeal: Sendable {
  private let key: SymmetricKey?

  /// Makes one.
  ///
  /// - Parameter secret: nil: every record is taken for genuine.
  package init(_ secret: [UInt8]?) { key = secret.map { SymmetricKey(data: $0) } }

  /// The seal of a record: 64 hexadecimal digits, or none without a secret.
  package func seal(_ values: [String], of key: String) -> String {
    guard let secret = self.key else { return "" }
    return Hexadecimal.text(
      HMAC<SHA256>.authenticationCode(for: Self.text(values, key), using: secret))
  }

  /// What tells a secret from others, to those who have the cluster's, and nobody else: 32
  /// hexadecimal digits; nil without a secret of the cluster.
  package func mark(of secret: [UInt8]) -> String? {
    guard let key else { return nil }
    let text = Array("auth.secret".utf8) + SHA256.hash(data: secret)
    let code = Array(HMAC<SHA256>.authenticationCode(for: text, using: key))
    return Hexadecimal.text(code.prefix(16))
  }

  /// Whether a seal is that of the record; compared in constant time.
  package func fits(_ seal: String, _ values: [String], of key: String) -> Bool {
    guard let secret = self.key else { return true }
    guard let code = Hexadecimal.bytes(seal), code.count == SHA256.byteCount else { return false }
    return HMAC<SHA256>.isValidAuthenticationCode(
      code, authenticating: Self.text(values, key), using: secret)
  }

  private static func text(_ values: [String], _ key: String) -> [UInt8] {
    var text: [UInt8] = []
    for value in [key] + values { text += "\(value.utf8.count):\(value)".utf8 }
    return text
  }
}

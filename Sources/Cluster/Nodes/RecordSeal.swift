import Crypto

/// Seals records with the cluster's secret, so that nobody else can make one.
///
/// HMAC-SHA256 over the key and each value with its length before it, so that no two records are
/// written alike.
struct RecordSeal: Sendable {
  private let key: SymmetricKey?

  /// Makes one.
  ///
  /// - Parameter secret: nil: every record is taken for genuine.
  init(_ secret: [UInt8]?) { key = secret.map { SymmetricKey(data: $0) } }

  /// The seal of a record: 64 hexadecimal digits, or none without a secret.
  func seal(_ values: [String], of key: String) -> String {
    guard let secret = self.key else { return "" }
    let digits = Array("0123456789abcdef".utf8)
    let code = HMAC<SHA256>.authenticationCode(for: Self.text(values, key), using: secret)
    return String(
      decoding: code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Whether a seal is that of the record; compared in constant time.
  func fits(_ seal: String, _ values: [String], of key: String) -> Bool {
    guard let secret = self.key else { return true }
    let digits = Array(seal.utf8)
    guard digits.count == 64 else { return false }
    var code: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else {
        return false
      }
      code.append(high << 4 | low)
    }
    return HMAC<SHA256>.isValidAuthenticationCode(
      code, authenticating: Self.text(values, key), using: secret)
  }

  private static func text(_ values: [String], _ key: String) -> [UInt8] {
    var text: [UInt8] = []
    for value in [key] + values { text += "\(value.utf8.count):\(value)".utf8 }
    return text
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 97...102: digit - 87
    default: nil
    }
  }
}

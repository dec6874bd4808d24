/// Bytes as text.
package enum Hexadecimal {
  private static let lower = Array("0123456789abcdef".utf8)
  private static let capital = Array("0123456789ABCDEF".utf8)

  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [lower[Int($0 >> 4)], lower[Int($0 & 15)]] }, as: UTF8.self)
  }

  package static func upper(_ byte: UInt8) -> String {
    String(decoding: [capital[Int(byte >> 4)], capital[Int(byte & 15)]], as: UTF8.self)
  }

  /// The bytes of an even number of digits; nil for anything else.
  package static func bytes(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 97...102: byte - 87
    case 65...70: byte - 55
    default: nil
    }
  }
}

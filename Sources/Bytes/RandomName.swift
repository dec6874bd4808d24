/// Names that nobody guesses and nothing else has: five random bits for each letter.
package enum RandomName {
  /// Crockford's base 32: no letters that are mistaken for others.
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  /// Makes a name from the system's random source.
  ///
  /// - Parameter count: letters and digits.
  /// - Returns: a name that may stand in addresses and file names.
  package static func make(_ count: Int) -> String {
    var source = SystemRandomNumberGenerator()
    return String(
      decoding: (0..<count).map { _ in alphabet[Int(source.next() & 31)] }, as: UTF8.self)
  }

  /// Writes a number with the same letters.
  ///
  /// - Parameters:
  ///   - value: whose lowest bits are written, five for each letter.
  ///   - count: letters and digits, 12 at most.
  /// - Returns: the name, highest bits first.
  package static func of(_ value: UInt64, _ count: Int) -> String {
    String(
      decoding: (1...count).map { alphabet[Int(value >> (5 * (count - $0)) & 31)] }, as: UTF8.self)
  }

  /// The number that `of` wrote; nil where that can't have written it.
  package static func value(of name: some StringProtocol) -> UInt64? {
    guard name.utf8.count <= 12 else { return nil }
    var value: UInt64 = 0
    for letter in name.utf8 {
      guard let digit = alphabet.firstIndex(of: letter) else { return nil }
      value = value << 5 | UInt64(digit)
    }
    return value
  }
}

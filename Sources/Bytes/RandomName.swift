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
}

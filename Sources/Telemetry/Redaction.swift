/// Takes secrets out of what is logged.
///
/// Two rules: the value of a key that names a secret is replaced whole, and inside any text
/// whatever looks like a JWT, or follows `token=`, `Bearer ` and the like, is replaced. It is the
/// last line of defence; callers still do not log tokens.
package enum Redaction {
  /// What stands in place of a secret.
  package static let mark = "[redacted]"

  private static let words: Set<String> = [
    "token", "key", "secret", "password", "passwd", "authorization", "cookie", "signature", "jwt",
  ]

  /// Whether a key names a secret: `token`, `stream_key`, `Set-Cookie`, `clientSecret`.
  ///
  /// The last word counts, so `key_id` and `token_count` may be logged.
  package static func isSecret(key: String) -> Bool {
    var word = ""
    var previousIsLower = false
    for scalar in key.unicodeScalars {
      let isLetter = scalar.properties.isAlphabetic
      if !isLetter || (previousIsLower && scalar.properties.isUppercase) { word = "" }
      if isLetter { word += scalar.properties.lowercaseMapping }
      previousIsLower = scalar.properties.isLowercase
    }
    return words.contains(word) || words.contains(key.lowercased())
  }

  /// The text with every secret in it replaced.
  ///
  /// - Complexity: O(n); texts without a suspicious byte are returned as they are.
  package static func redact(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var copied = 0
    var index = 0
    while index < bytes.count {
      if let secret = secret(in: bytes, at: index) {
        out += bytes[copied..<secret.lowerBound]
        out += mark.utf8
        index = secret.upperBound
        copied = index
      } else {
        index += 1
      }
    }
    if copied == 0 { return text }
    out += bytes[copied...]
    return String(decoding: out, as: UTF8.self)
  }

  /// The range to replace when a secret, or the word before one, starts at `index`.
  private static func secret(in bytes: [UInt8], at index: Int) -> Range<Int>? {
    switch bytes[index] {
    case UInt8(ascii: "e"):
      jwt(in: bytes, at: index)
    case UInt8(ascii: "="):
      assigned(in: bytes, at: index)
    case UInt8(ascii: "B"), UInt8(ascii: "b"):
      credentials(in: bytes, at: index, scheme: "bearer ")
        ?? credentials(in: bytes, at: index, scheme: "basic ")
    default:
      nil
    }
  }

  /// Three or more base64url parts, the first of which begins `eyJ` (that is `{"` encoded).
  private static func jwt(in bytes: [UInt8], at start: Int) -> Range<Int>? {
    guard bytes[start...].starts(with: "eyJ".utf8) else { return nil }
    guard start == 0 || !isBase64URL(bytes[start - 1]) else { return nil }
    var end = start
    var parts = 0
    while true {
      while end < bytes.count, isBase64URL(bytes[end]) { end += 1 }
      parts += 1
      guard end < bytes.count, bytes[end] == UInt8(ascii: ".") else { break }
      // The third part may be empty (an unsigned token); a fourth that is empty ends a sentence.
      let next = end + 1
      if parts > 2, next == bytes.count || !isBase64URL(bytes[next]) { break }
      end = next
    }
    return parts >= 3 ? start..<end : nil
  }

  /// The value after `token=`, `stream_key=`, … up to the end of a query's item.
  private static func assigned(in bytes: [UInt8], at equals: Int) -> Range<Int>? {
    var start = equals
    while start > 0, isBase64URL(bytes[start - 1]) { start -= 1 }
    guard start < equals, isSecret(key: String(decoding: bytes[start..<equals], as: UTF8.self))
    else { return nil }
    return value(in: bytes, from: equals + 1)
  }

  private static func credentials(
    in bytes: [UInt8], at start: Int, scheme: String
  ) -> Range<Int>? {
    guard start == 0 || !isBase64URL(bytes[start - 1]) else { return nil }
    let begin = start + scheme.utf8.count
    guard begin < bytes.count, zip(bytes[start...], scheme.utf8).allSatisfy({ $0 | 0x20 == $1 })
    else { return nil }
    guard let value = value(in: bytes, from: begin), value.count >= 8 else { return nil }
    return value
  }

  private static func value(in bytes: [UInt8], from start: Int) -> Range<Int>? {
    var end = start
    while end < bytes.count {
      switch bytes[end] {
      case 0...32, UInt8(ascii: "&"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: ","),
        UInt8(ascii: ";"), UInt8(ascii: ")"), UInt8(ascii: "#"):
        return end > start ? start..<end : nil
      default: end += 1
      }
    }
    return end > start ? start..<end : nil
  }

  private static func isBase64URL(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}

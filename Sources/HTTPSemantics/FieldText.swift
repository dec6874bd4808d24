import Bytes

/// The bytes of a field's value as text, from which the same bytes can be made again.
///
/// Values are ASCII as a rule, and UTF-8 where they aren't; both stand as what they say. Of one
/// that is neither each byte above ASCII stands as a character of its own, of a private area that
/// nobody else uses: repaired, values that differ would be equal (two versions' entity tags, for
/// one), and who is handed such a value would get another one.
package enum FieldText {
  // Byte b, 0x80...0xff, is the character U+F700 + b, which in UTF-8 is ef 9e 80 ... ef 9f bf.
  private static let lead: UInt8 = 0xef

  /// Reads a value.
  ///
  /// - Parameters:
  ///   - bytes: any.
  ///   - isOpaque: whether UTF-8 means nothing in it: what Unicode takes for the same text, in
  ///     several spellings, then isn't equal (entity tags; RFC 9110, 8.8.3.2).
  /// - Returns: the text; complexity O(n).
  package static func text(_ bytes: borrowing Span<UInt8>, isOpaque: Bool = false) -> String {
    var isASCII = true
    for index in bytes.indices where bytes[index] >= 0x80 { isASCII = false }
    if isASCII { return String(copying: bytes) }
    let bytes = [UInt8](copying: bytes)
    if !isOpaque, let text = String(validating: bytes, as: UTF8.self),
      !text.unicodeScalars.contains(where: { (0xf780...0xf7ff).contains($0.value) })
    {
      return text
    }
    var utf8: [UInt8] = []
    utf8.reserveCapacity(bytes.count * 3)
    for byte in bytes {
      if byte < 0x80 {
        utf8.append(byte)
      } else {
        utf8 += [lead, 0x9c | byte >> 6, 0x80 | byte & 0x3f]
      }
    }
    return String(decoding: utf8, as: UTF8.self)
  }

  /// The bytes that a text stands for; those of its UTF-8 where it has none of these characters.
  package static func bytes(_ text: String) -> [UInt8] {
    let utf8 = Array(text.utf8)
    guard utf8.contains(lead) else { return utf8 }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count)
    var index = 0
    while index < utf8.count {
      let byte = utf8[index]
      if byte == lead, index + 2 < utf8.count, utf8[index + 1] & 0xfe == 0x9e {
        bytes.append(utf8[index + 1] << 6 | utf8[index + 2] & 0x3f)
        index += 3
      } else {
        bytes.append(byte)
        index += 1
      }
    }
    return bytes
  }
}

/// Reads the items of structured fields, byte for byte (RFC 8941, 4.2).
struct StructuredReader {
  private let text: [UInt8]
  private var at = 0

  init(_ text: [UInt8]) { self.text = text }

  var isAtEnd: Bool { at >= text.count }
  private var next: UInt8? { at < text.count ? text[at] : nil }

  mutating func skipSpaces() {
    while next == 0x20 { at += 1 }
  }

  mutating func skipBlanks() {
    while next == 0x20 || next == 0x09 { at += 1 }
  }

  /// Takes a byte where it comes next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    at += 1
    return true
  }

  /// A key: lower case, digits, `_-.*` (3.1.2).
  mutating func key() -> String? {
    guard let first = next, first &- 0x61 < 26 || first == 0x2a else { return nil }
    let start = at
    while let byte = next,
      byte &- 0x61 < 26 || byte &- 0x30 < 10 || [0x5f, 0x2d, 0x2e, 0x2a].contains(byte)
    {
      at += 1
    }
    return String(decoding: text[start..<at], as: UTF8.self)
  }

  /// An item or an inner list, without the parameters after it.
  mutating func memberValue() -> StructuredDictionary.Value? {
    guard take(0x28) else { return item() }
    while true {
      skipSpaces()
      if take(0x29) { return .other }
      guard item() != nil, skipParameters() else { return nil }
      guard next == 0x20 || next == 0x29 else { return nil }
    }
  }

  /// Leaves out `;key=value` after an item; false where they are malformed.
  mutating func skipParameters() -> Bool {
    while take(0x3b) {
      skipSpaces()
      guard key() != nil else { return false }
      if take(0x3d), item() == nil { return false }
    }
    return true
  }

  private mutating func item() -> StructuredDictionary.Value? {
    guard let first = next else { return nil }
    switch first {
    case 0x2d, 0x30...0x39: return number()
    case 0x22: return string() ? .other : nil
    case 0x3a: return byteSequence() ? .other : nil
    case 0x3f: return boolean()
    case 0x2a, 0x41...0x5a, 0x61...0x7a:
      while let byte = next, isTokenRest(byte) { at += 1 }
      return .other
    default: return nil
    }
  }

  private func isTokenRest(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e, 0x5f, 0x60, 0x7c, 0x7e,
      0x3a, 0x2f:
      true
    default: false
    }
  }

  /// An integer of at most 15 digits, or a decimal of at most 12 and 3.
  private mutating func number() -> StructuredDictionary.Value? {
    let isNegative = take(0x2d)
    var value: Int64 = 0
    var digits = 0
    while let byte = next, byte &- 0x30 < 10 {
      digits += 1
      guard digits <= 15 else { return nil }
      value = value * 10 + Int64(byte &- 0x30)
      at += 1
    }
    guard digits > 0 else { return nil }
    guard take(0x2e) else { return .integer(isNegative ? -value : value) }
    var fraction = 0
    while let byte = next, byte &- 0x30 < 10 {
      fraction += 1
      at += 1
    }
    return digits <= 12 && (1...3).contains(fraction) ? .other : nil
  }

  private mutating func string() -> Bool {
    at += 1
    while let byte = next {
      at += 1
      if byte == 0x22 { return true }
      if byte == 0x5c {
        guard take(0x22) || take(0x5c) else { return false }
      } else if byte < 0x20 || byte > 0x7e {
        return false
      }
    }
    return false
  }

  private mutating func byteSequence() -> Bool {
    at += 1
    while let byte = next {
      at += 1
      if byte == 0x3a { return true }
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2f, 0x3d: break
      default: return false
      }
    }
    return false
  }

  private mutating func boolean() -> StructuredDictionary.Value? {
    at += 1
    if take(0x31) { return .isTrue }
    return take(0x30) ? .other : nil
  }
}

extension Span<UInt8> {
  /// Whether the bytes are exactly those of `text`.
  @inlinable package func matches(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    guard count == length else { return false }
    let other = unsafe text.utf8Start
    for index in 0..<length where unsafe self[index] != other[index] { return false }
    return true
  }

  /// Whether the bytes are those of `text`, which is lower case, when ASCII case is ignored.
  package func matchesIgnoringCase(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    guard count == length else { return false }
    let other = unsafe text.utf8Start
    for index in 0..<length where unsafe asciiLowercase(self[index]) != other[index] {
      return false
    }
    return true
  }

  /// The bytes without spaces and tabs at either end.
  package func trimmedRange(in range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, isBlank(self[low]) { low += 1 }
    while high > low, isBlank(self[high - 1]) { high -= 1 }
    return low..<high
  }

  /// Reads a decimal number that fills the range; `nil` when there is none or it does not fit.
  package func decimal(in range: Range<Int>) -> Int? {
    guard !range.isEmpty else { return nil }
    var value = 0
    for index in range {
      let digit = self[index] &- 0x30
      guard digit < 10 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = product.addingReportingOverflow(Int(digit))
      guard !overflow, !overflow2 else { return nil }
      value = sum
    }
    return value
  }
}

/// A letter A–Z made a–z; any other byte as it is.
@inlinable package func asciiLowercase(_ byte: UInt8) -> UInt8 {
  byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Whether the byte is a space or a tab (OWS of RFC 9110, 5.6.3).
@inlinable package func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// The value of a hexadecimal digit, or `nil`.
@inlinable package func hexadecimalValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x41...0x46: byte - 0x37
  case 0x61...0x66: byte - 0x57
  default: nil
  }
}

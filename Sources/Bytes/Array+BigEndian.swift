extension [UInt8] {
  /// Appends a 16-bit unsigned integer, most significant byte first.
  @inlinable package mutating func append(u16 value: UInt16) {
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends the low 24 bits, most significant byte first.
  @inlinable package mutating func append(u24 value: UInt32) {
    append(UInt8(truncatingIfNeeded: value >> 16))
    append(u16: UInt16(truncatingIfNeeded: value))
  }

  /// Appends a 32-bit unsigned integer, most significant byte first.
  @inlinable package mutating func append(u32 value: UInt32) {
    append(u16: UInt16(truncatingIfNeeded: value >> 16))
    append(u16: UInt16(truncatingIfNeeded: value))
  }

  /// Appends a 64-bit unsigned integer, most significant byte first.
  @inlinable package mutating func append(u64 value: UInt64) {
    append(u32: UInt32(truncatingIfNeeded: value >> 32))
    append(u32: UInt32(truncatingIfNeeded: value))
  }

  /// Makes an array of the bytes of a span.
  @inlinable package init(copying span: borrowing Span<UInt8>) {
    unsafe self = span.withUnsafeBufferPointer { unsafe [UInt8]($0) }
  }

  /// Appends the bytes of a span.
  @inlinable package mutating func append(copying span: borrowing Span<UInt8>) {
    unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}

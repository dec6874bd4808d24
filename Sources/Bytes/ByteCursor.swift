/// A position in bytes that somebody else holds: each read names the bytes and moves it on.
///
/// It borrows the span for the length of one call and never stores it, so a cursor can live in a
/// state machine that outlives its input.
package struct ByteCursor: Equatable, Sendable {
  /// Where the next read starts, 0...count of the bytes read from.
  package var offset: Int

  package init(at offset: Int = 0) { self.offset = offset }

  /// How many bytes are left from here, never less than 0.
  @inlinable package func left(_ bytes: borrowing Span<UInt8>) -> Int {
    max(0, bytes.count - offset)
  }

  /// Reads one byte.
  ///
  /// - Throws: `.truncated`; the cursor has then not moved.
  @inlinable package mutating func u8(_ bytes: borrowing Span<UInt8>) throws(ByteError) -> UInt8 {
    try need(1, bytes)
    defer { offset += 1 }
    return bytes[offset]
  }

  /// Reads a 16-bit unsigned integer, most significant byte first.
  ///
  /// - Throws: `.truncated`; the cursor has then not moved.
  @inlinable package mutating func u16(_ bytes: borrowing Span<UInt8>) throws(ByteError) -> UInt16 {
    try need(2, bytes)
    defer { offset += 2 }
    return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  /// Reads a 24-bit unsigned integer, most significant byte first: 0...16_777_215.
  ///
  /// - Throws: `.truncated`; the cursor has then not moved.
  @inlinable package mutating func u24(_ bytes: borrowing Span<UInt8>) throws(ByteError) -> UInt32 {
    try need(3, bytes)
    defer { offset += 3 }
    return UInt32(bytes[offset]) << 16 | UInt32(bytes[offset + 1]) << 8
      | UInt32(bytes[offset + 2])
  }

  /// Reads a 32-bit unsigned integer, most significant byte first.
  ///
  /// - Throws: `.truncated`; the cursor has then not moved.
  @inlinable package mutating func u32(_ bytes: borrowing Span<UInt8>) throws(ByteError) -> UInt32 {
    try need(4, bytes)
    defer { offset += 4 }
    return UInt32(bytes[offset]) << 24 | UInt32(bytes[offset + 1]) << 16
      | UInt32(bytes[offset + 2]) << 8 | UInt32(bytes[offset + 3])
  }

  /// Reads a 64-bit unsigned integer, most significant byte first.
  ///
  /// - Throws: `.truncated`; the cursor has then not moved.
  @inlinable package mutating func u64(_ bytes: borrowing Span<UInt8>) throws(ByteError) -> UInt64 {
    try need(8, bytes)
    return try UInt64(u32(bytes)) << 32 | UInt64(u32(bytes))
  }

  /// Passes over `count` bytes.
  ///
  /// - Throws: `.truncated`; the cursor has then not moved.
  @inlinable package mutating func skip(
    _ count: Int, _ bytes: borrowing Span<UInt8>
  ) throws(ByteError) {
    try need(count, bytes)
    offset += count
  }

  /// Copies the next `count` bytes out.
  ///
  /// - Throws: `.truncated`; the cursor has then not moved.
  @inlinable package mutating func bytes(
    _ count: Int, _ bytes: borrowing Span<UInt8>
  ) throws(ByteError) -> [UInt8] {
    try need(count, bytes)
    defer { offset += count }
    return [UInt8](copying: bytes.extracting(offset..<offset + count))
  }

  /// Checks that `count` bytes can be read from here.
  @inlinable package func need(
    _ count: Int, _ bytes: borrowing Span<UInt8>
  ) throws(ByteError) {
    let left = left(bytes)
    guard count >= 0, left >= count else { throw .truncated(needed: count, have: left) }
  }
}

/// What can be wrong with bytes before anybody knows what they mean.
package enum ByteError: Error, Equatable, Sendable {
  /// A field needs `needed` bytes and only `have` are left.
  case truncated(needed: Int, have: Int)
}

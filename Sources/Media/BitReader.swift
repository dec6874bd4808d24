/// Reads bit fields, most significant bit first, from bytes of its own.
///
/// Used on parameter sets only (a few dozen bytes, once per stream), so it keeps an array rather
/// than borrow a span. Reading past the end throws and leaves the position where it was.
package struct BitReader: Sendable {
  private let bytes: [UInt8]
  /// The next bit to read: 0...8 × the byte count.
  package private(set) var position = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The raw bytes of a NAL unit's payload: without the 03 of each 00 00 03.
  package init(rbspOf nal: borrowing Span<UInt8>, from start: Int) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(nal.count)
    var zeros = 0
    for index in min(max(0, start), nal.count)..<nal.count {
      let byte = nal[index]
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      bytes.append(byte)
    }
    self.bytes = bytes
  }

  /// How many bits are left.
  package var left: Int { bytes.count * 8 - position }

  /// Reads a field of 0 to 32 bits.
  package mutating func bits(_ count: Int) throws(ConfigurationError) -> UInt32 {
    guard count >= 0, count <= 32, count <= left else { throw .truncated }
    var value: UInt64 = 0
    var needed = count
    while needed > 0 {
      let inByte = min(needed, 8 - position & 7)
      let byte = UInt64(bytes[position >> 3])
      let field = byte >> UInt64(8 - position & 7 - inByte) & ((1 << UInt64(inByte)) - 1)
      value = value << UInt64(inByte) | field
      position += inByte
      needed -= inByte
    }
    return UInt32(truncatingIfNeeded: value)
  }

  /// Reads one bit as a truth.
  package mutating func flag() throws(ConfigurationError) -> Bool { try bits(1) == 1 }

  /// Passes over bits.
  package mutating func skip(_ count: Int) throws(ConfigurationError) {
    guard count >= 0, count <= left else { throw .truncated }
    position += count
  }

  /// Reads an unsigned Exp-Golomb code, `ue(v)`: 0...2^32 − 2.
  package mutating func ue() throws(ConfigurationError) -> UInt32 {
    let start = position
    do throws(ConfigurationError) {
      var zeros = 0
      while try !flag() {
        zeros += 1
        guard zeros < 32 else { throw .invalid("Exp-Golomb code longer than 32 bits") }
      }
      let rest = try bits(zeros)
      return UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(zeros)) - 1 + UInt64(rest))
    } catch {
      position = start
      throw error
    }
  }

  /// Reads a signed Exp-Golomb code, `se(v)`.
  package mutating func se() throws(ConfigurationError) -> Int32 {
    let code = try Int64(ue())
    return Int32(truncatingIfNeeded: code & 1 == 1 ? (code + 1) / 2 : -(code / 2))
  }
}

/// What can be wrong with a codec's configuration.
package enum ConfigurationError: Error, Equatable, Sendable {
  /// It ends before a field that it must have.
  case truncated
  /// A field has a value that the specification doesn't allow, or that no decoder takes.
  case invalid(String)
}

import Bytes
import Media

/// The decoder configuration record of AV1 (`av1C`), made of an encoder's sequence header.
///
/// - Note: Source: AV1 Codec ISO Media File Format Binding, 2.3.3; AV1 specification, 5.3 and 5.5.
enum AV1Record {
  private enum UnitType {
    static let sequenceHeader: UInt8 = 1
    static let temporalDelimiter: UInt8 = 2
  }

  /// An open bitstream unit: its type, all of it, and what follows its header and size.
  private struct Unit {
    var type: UInt8
    var whole: Range<Int>
    var body: Range<Int>
  }

  /// Builds a record for what is encoded here: 4:2:0 with 8 bits.
  ///
  /// - Parameter bytes: units with sizes, a sequence header among them; or a record.
  /// - Returns: the record.
  /// - Throws: `.input` if there is none that can be read.
  static func configuration(sequenceHeader bytes: [UInt8]) throws(TranscodeError) -> [UInt8] {
    if bytes.first == 0x81, bytes.count > 4 { return bytes }
    guard let header = units(bytes).first(where: { $0.type == UnitType.sequenceHeader }),
      let (profile, level, tier) = try? levels(Array(bytes[header.body]))
    else { throw TranscodeError(.input, "AV1 without a usable sequence header") }
    // 0x0C: both chroma directions are halved.
    return [0x81, profile << 5 | level, tier << 7 | 0x0C, 0] + bytes[header.whole]
  }

  /// A temporal unit without its delimiter, as files hold it.
  static func withoutDelimiters(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    for unit in units(bytes) where unit.type != UnitType.temporalDelimiter {
      output += bytes[unit.whole]
    }
    return output
  }

  private static func units(_ bytes: [UInt8]) -> [Unit] {
    var units: [Unit] = []
    var start = 0
    while start < bytes.count {
      let header = bytes[start]
      var offset = start + (header & 4 != 0 ? 2 : 1)
      var size = bytes.count - offset
      if header & 2 != 0 {
        size = 0
        var shift = 0
        while offset < bytes.count, shift < 35 {
          let byte = bytes[offset]
          offset += 1
          size |= Int(byte & 0x7F) << shift
          shift += 7
          if byte & 0x80 == 0 { break }
        }
      }
      guard size >= 0, offset <= bytes.count, size <= bytes.count - offset else { break }
      units.append(
        Unit(
          type: header >> 3 & 0xF, whole: start..<offset + size, body: offset..<offset + size))
      start = offset + size
    }
    return units
  }

  /// Profile, level and tier of the first operating point.
  private static func levels(
    _ body: [UInt8]
  ) throws(ConfigurationError) -> (profile: UInt8, level: UInt8, tier: UInt8) {
    var bits = BitReader(body)
    let profile = UInt8(try bits.bits(3))
    try bits.skip(1)
    if try bits.flag() { return (profile, UInt8(try bits.bits(5)), 0) }
    if try bits.flag() {  // timing information
      try bits.skip(64)
      if try bits.flag() { _ = try bits.ue() }
      // A decoder model: no live encoder writes one.
      if try bits.flag() { throw .invalid("a decoder model") }
    }
    try bits.skip(1 + 5 + 12)
    let level = UInt8(try bits.bits(5))
    return (profile, level, level > 7 ? UInt8(try bits.bits(1)) : 0)
  }
}

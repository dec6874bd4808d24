import Bytes
import Media

/// The decoder configuration record of H.265 (`hvcC`), made of an encoder's parameter sets.
///
/// - Note: Source: ISO/IEC 14496-15, 8.3.3.1; ITU-T H.265, 7.3.2.2 and 7.3.3.
enum HEVCRecord {
  private static let types: [UInt8] = [32, 33, 34]  // VPS, SPS, PPS

  /// Builds a record for lengths of four bytes, and for what is encoded here: 4:2:0 with 8 bits.
  ///
  /// - Parameter bytes: parameter sets with start codes; other units are passed over.
  /// - Returns: the record.
  /// - Throws: `.input` if one kind is missing or can't be read.
  static func configuration(parameterSets bytes: [UInt8]) throws(TranscodeError) -> [UInt8] {
    let span = bytes.span
    let sets = types.map { type in
      AnnexB.units(span).filter { bytes[$0.lowerBound] >> 1 & 0x3F == type }
    }
    guard sets.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.count <= 0xFFFF } }),
      let sequence = sets[1].first,
      let profile = try? profileFields(span.extracting(sequence))
    else { throw TranscodeError(.input, "H.265 without usable parameter sets") }
    var record: [UInt8] = [1] + profile.fields
    record += [0xF0, 0, 0xFC, 0xFC | 1, 0xF8, 0xF8, 0, 0, profile.layers << 2 | 3]
    record.append(UInt8(types.count))
    for (type, units) in zip(types, sets) {
      record.append(0x80 | type)
      record.append(u16: UInt16(clamping: units.count))
      for unit in units {
        record.append(u16: UInt16(unit.count))
        record.append(copying: span.extracting(unit))
      }
    }
    return record
  }

  /// The twelve bytes of profile, tier and level, and the temporal layers with their nesting flag.
  private static func profileFields(
    _ sequence: borrowing Span<UInt8>
  ) throws(ConfigurationError) -> (fields: [UInt8], layers: UInt8) {
    var bits = BitReader(rbspOf: sequence, from: 2)
    try bits.skip(4)
    let layers = UInt8(try bits.bits(3) + 1)
    let isNested = UInt8(try bits.bits(1))
    var fields: [UInt8] = []
    for _ in 0..<12 { fields.append(UInt8(try bits.bits(8))) }
    return (fields, layers << 1 | isNested)
  }
}

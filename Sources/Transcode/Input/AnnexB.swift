import Bytes

/// H.264 as a byte stream with start codes (Annex B), and its way into FLV and MP4.
///
/// - Note: Source: ISO/IEC 14496-10 Annex B; ISO/IEC 14496-15, 5.3.3.1 (avcC).
enum AnnexB {
  /// NAL unit types that a decoder configuration takes up, or that FLV has no use for.
  private enum UnitType {
    static let sequenceParameters: UInt8 = 7
    static let pictureParameters: UInt8 = 8
    static let delimiter: UInt8 = 9
  }

  /// Where the NAL units lie, without start codes and without zeros behind them.
  static func units(_ bytes: borrowing Span<UInt8>) -> [Range<Int>] {
    var units: [Range<Int>] = []
    var start = -1
    var index = 0
    while index + 2 < bytes.count {
      if bytes[index + 2] > 1 {
        index += 3
      } else if bytes[index] == 0, bytes[index + 1] == 0, bytes[index + 2] == 1 {
        if start >= 0 { close(&units, start, index, bytes) }
        start = index + 3
        index += 3
      } else {
        index += 1
      }
    }
    if start >= 0 { close(&units, start, bytes.count, bytes) }
    return units
  }

  private static func close(
    _ units: inout [Range<Int>], _ start: Int, _ end: Int, _ bytes: borrowing Span<UInt8>
  ) {
    var end = end
    while end > start, bytes[end - 1] == 0 { end -= 1 }
    if end > start { units.append(start..<end) }
  }

  /// Whether bytes begin with a start code.
  static func hasStartCode(_ bytes: borrowing Span<UInt8>) -> Bool {
    bytes.count > 4 && bytes[0] == 0 && bytes[1] == 0
      && (bytes[2] == 1 || bytes[2] == 0 && bytes[3] == 1)
  }

  /// Puts a 32-bit length before each unit in place of the start code; delimiters are left out.
  ///
  /// - Parameters:
  ///   - bytes: a frame with start codes.
  ///   - isDelimiter: by a unit's first byte; H.264's unless another codec's is given.
  /// - Returns: the frame as FLV and MP4 hold it.
  static func lengthPrefixed(
    _ bytes: [UInt8], isDelimiter: (UInt8) -> Bool = { $0 & 0x1F == UnitType.delimiter }
  ) -> [UInt8] {
    let span = bytes.span
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count + 16)
    for unit in units(span) where !isDelimiter(span[unit.lowerBound]) {
      output.append(u32: UInt32(unit.count))
      output.append(copying: span.extracting(unit))
    }
    return output
  }

  /// Builds an AVCDecoderConfigurationRecord for lengths of four bytes.
  ///
  /// - Parameter bytes: SPS and PPS with start codes; other units are passed over.
  /// - Returns: the record.
  /// - Throws: `.input` if there is no SPS or no PPS, or one that no record can hold.
  static func configuration(parameterSets bytes: [UInt8]) throws(TranscodeError) -> [UInt8] {
    let span = bytes.span
    let units = units(span)
    let sequences = units.filter { bytes[$0.lowerBound] & 0x1F == UnitType.sequenceParameters }
    let pictures = units.filter { bytes[$0.lowerBound] & 0x1F == UnitType.pictureParameters }
    guard let first = sequences.first, first.count >= 4, !pictures.isEmpty,
      sequences.count <= 31, pictures.count <= 255,
      (sequences + pictures).allSatisfy({ $0.count <= 0xFFFF })
    else { throw TranscodeError(.input, "H.264 without usable parameter sets") }
    let profile = bytes[first.lowerBound + 1]
    var record: [UInt8] = [
      1, profile, bytes[first.lowerBound + 2], bytes[first.lowerBound + 3], 0xFF,
      0xE0 | UInt8(sequences.count),
    ]
    for unit in sequences {
      record.append(u16: UInt16(unit.count))
      record.append(copying: span.extracting(unit))
    }
    record.append(UInt8(pictures.count))
    for unit in pictures {
      record.append(u16: UInt16(unit.count))
      record.append(copying: span.extracting(unit))
    }
    // High profiles carry chroma format and bit depths; libav and browsers do without, but 4:2:0
    // with 8 bits is all that is encoded here, and all that FLV players take.
    if [100, 110, 122, 144].contains(profile) { record += [0xFD, 0xF8, 0xF8, 0] }
    return record
  }
}

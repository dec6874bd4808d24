import Bytes

/// The decoder configuration record of H.264 (`avcC`), as a sequence header carries it.
///
/// Source: ISO/IEC 14496-15, 5.3.3.1.
package struct AVCDecoderConfiguration: Sendable, Equatable {
  package var profile: UInt8
  package var constraints: UInt8
  package var level: UInt8
  /// Bytes of the length before each NAL unit: 1...4.
  package var lengthSize: Int
  /// Sequence and picture parameter sets: whole NAL units, without start codes.
  package var sequenceParameterSets: [[UInt8]]
  package var pictureParameterSets: [[UInt8]]
  /// The first sequence parameter set, read; nil if there is none or it can't be read.
  package var picture: SequenceParameterSet?

  /// Reads a record; what follows the parameter sets (chroma format …) is not needed and not read.
  ///
  /// - Throws: `.truncated`, or `.invalid` for another version than 1.
  package init(_ record: borrowing Span<UInt8>) throws(ConfigurationError) {
    guard record.count > 0, record[0] == 1 else {
      throw record.count == 0 ? .truncated : .invalid("avcC version \(record[0])")
    }
    do throws(ByteError) {
      var cursor = ByteCursor(at: 1)
      profile = try cursor.u8(record)
      constraints = try cursor.u8(record)
      level = try cursor.u8(record)
      lengthSize = Int(try cursor.u8(record) & 3) + 1
      let sequenceSets = try cursor.u8(record) & 0x1F
      sequenceParameterSets = try Self.parameterSets(Int(sequenceSets), record, &cursor)
      let pictureSets = try cursor.u8(record)
      pictureParameterSets = try Self.parameterSets(Int(pictureSets), record, &cursor)
    } catch {
      throw .truncated
    }
    picture = sequenceParameterSets.first.flatMap { try? SequenceParameterSet(nal: $0.span) }
  }

  /// Reads `count` parameter sets, each after its 16-bit length; empty ones are left out.
  private static func parameterSets(
    _ count: Int, _ record: borrowing Span<UInt8>, _ cursor: inout ByteCursor
  ) throws(ByteError) -> [[UInt8]] {
    var sets: [[UInt8]] = []
    for _ in 0..<count {
      let length = Int(try cursor.u16(record))
      let set = try cursor.bytes(length, record)
      if length > 0 { sets.append(set) }
    }
    return sets
  }

  /// The profile's name, such as `High`; empty for one that has none here.
  ///
  /// Source: ITU-T H.264, annex A.
  package var profileName: String {
    switch profile {
    case 66: "Baseline"
    case 77: "Main"
    case 88: "Extended"
    case 100: "High"
    case 110: "High 10"
    case 122: "High 4:2:2"
    case 244: "High 4:4:4"
    default: ""
    }
  }

  /// The codec's name for playlists and MP4, such as `avc1.64001F`.
  ///
  /// Source: RFC 6381, 3.3.
  package var codecString: String { "avc1." + hex(profile) + hex(constraints) + hex(level) }
}

/// Two capital hexadecimal digits.
func hex(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16, uppercase: true)
  return digits.count == 2 ? digits : "0" + digits
}

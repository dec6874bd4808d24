import Bytes

/// Writes the tables of a transport stream with one program: PAT and PMT, a packet each.
///
/// Source: ISO/IEC 13818-1, 2.4.4.
enum TransportStreamTables {
  static let mapPID: UInt16 = 0x1000
  static let videoPID: UInt16 = 0x0100
  static let audioPID: UInt16 = 0x0101

  /// Appends the program association table.
  static func appendAssociation(continuity: UInt8, to output: inout [UInt8]) {
    var section: [UInt8] = [0x00]
    section.append(u16: 0xB000 | 13)
    section.append(u16: 1)  // transport_stream_id
    section += [0xC1, 0, 0]  // version 0, current, section 0 of 0
    section.append(u16: 1)  // program_number
    section.append(u16: 0xE000 | mapPID)
    append(section, pid: 0, continuity: continuity, to: &output)
  }

  /// Appends the program map table.
  ///
  /// - Parameters:
  ///   - hasVideo: whether there is H.264.
  ///   - hasAudio: whether there is AAC with ADTS headers.
  ///   - version: 0...31, another one whenever the tracks change.
  ///   - continuity: 0...15.
  ///   - output: where the packet goes.
  static func appendMap(
    hasVideo: Bool, hasAudio: Bool, version: UInt8, continuity: UInt8, to output: inout [UInt8]
  ) {
    let streams = (hasVideo ? 1 : 0) + (hasAudio ? 1 : 0)
    var section: [UInt8] = [0x02]
    section.append(u16: 0xB000 | UInt16(13 + 5 * streams))
    section.append(u16: 1)  // program_number
    section += [0xC1 | (version & 0x1F) << 1, 0, 0]
    section.append(u16: 0xE000 | (hasVideo ? videoPID : audioPID))  // PCR_PID
    section.append(u16: 0xF000)
    if hasVideo {
      section.append(0x1B)
      section.append(u16: 0xE000 | videoPID)
      section.append(u16: 0xF000)
    }
    if hasAudio {
      section.append(0x0F)
      section.append(u16: 0xE000 | audioPID)
      section.append(u16: 0xF000)
    }
    append(section, pid: mapPID, continuity: continuity, to: &output)
  }

  private static func append(
    _ section: [UInt8], pid: UInt16, continuity: UInt8, to output: inout [UInt8]
  ) {
    output.append(0x47)
    output.append(u16: 0x4000 | pid)
    output.append(0x10 | continuity & 0x0F)
    output.append(0)  // pointer_field
    output += section
    output.append(u32: checksum(section))
    output += repeatElement(0xFF, count: 188 - 5 - section.count - 4)
  }

  /// CRC-32 as MPEG-2 systems has it: polynomial 04C11DB7, not reflected, no final inversion.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    // A bit at a time: 30 bytes per segment don't earn a table.
    for byte in bytes {
      crc ^= UInt32(byte) << 24
      for _ in 0..<8 { crc = crc & 0x8000_0000 == 0 ? crc << 1 : crc << 1 ^ 0x04C1_1DB7 }
    }
    return crc
  }
}

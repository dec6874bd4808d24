import Bytes

/// The decoder configuration record of H.265 (`hvcC`): what is needed to name the stream.
///
/// Source: ISO/IEC 14496-15, 8.3.3.1, and ITU-T H.265, 7.3.2.2.1.
package struct HEVCDecoderConfiguration: Sendable, Equatable {
  package var profileSpace: UInt8
  package var isHighTier: Bool
  package var profile: UInt8
  package var compatibility: UInt32
  /// The six bytes of general constraint flags.
  package var constraints: [UInt8]
  package var level: UInt8
  /// Bytes of the length before each NAL unit: 1...4.
  package var lengthSize: Int
  /// In luma samples, cropped, from the first sequence parameter set; nil if it can't be read.
  package var size: PictureSize?

  /// Reads a record.
  ///
  /// - Throws: `.truncated`, or `.invalid` for another version than 1 (0 is taken too: older
  ///   encoders write it).
  package init(_ record: borrowing Span<UInt8>) throws(ConfigurationError) {
    do throws(ByteError) {
      var cursor = ByteCursor()
      let version = try cursor.u8(record)
      let first = try cursor.u8(record)
      profileSpace = first >> 6
      isHighTier = first & 0x20 != 0
      profile = first & 0x1F
      compatibility = try cursor.u32(record)
      constraints = try cursor.bytes(6, record)
      level = try cursor.u8(record)
      try cursor.skip(8, record)
      lengthSize = Int(try cursor.u8(record) & 3) + 1
      size = nil
      let arrays = version <= 1 ? try cursor.u8(record) : 0
      for _ in 0..<arrays {
        let type = try cursor.u8(record) & 0x3F
        for _ in 0..<(try cursor.u16(record)) {
          let length = Int(try cursor.u16(record))
          let nal = try cursor.bytes(length, record)
          if type == 33, size == nil { size = try? Self.size(ofSPS: nal.span) }
        }
      }
    } catch {
      throw .truncated
    }
    guard record[0] <= 1 else { throw .invalid("hvcC version \(record[0])") }
  }

  /// The picture size that a sequence parameter set gives.
  private static func size(
    ofSPS nal: borrowing Span<UInt8>
  ) throws(ConfigurationError) -> PictureSize {
    var bits = BitReader(rbspOf: nal, from: 2)
    try bits.skip(4)
    let subLayers = Int(try bits.bits(3))
    try bits.skip(1 + 88 + 8)
    var present: [(profile: Bool, level: Bool)] = []
    for _ in 0..<subLayers { present.append((try bits.flag(), try bits.flag())) }
    if subLayers > 0 { try bits.skip(2 * (8 - subLayers)) }
    for layer in present {
      try bits.skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0))
    }
    _ = try bits.ue()
    let chroma = try bits.ue()
    if chroma == 3 { try bits.skip(1) }
    var width = Int(try bits.ue())
    var height = Int(try bits.ue())
    if try bits.flag() {
      let horizontal = chroma == 1 || chroma == 2 ? 2 : 1
      let vertical = chroma == 1 ? 2 : 1
      width -= (Int(try bits.ue()) + Int(try bits.ue())) * horizontal
      height -= (Int(try bits.ue()) + Int(try bits.ue())) * vertical
    }
    guard (1...16_384).contains(width), (1...16_384).contains(height) else {
      throw .invalid("a picture of \(width) × \(height)")
    }
    return PictureSize(width: width, height: height)
  }

  /// The codec's name for playlists and MP4, such as `hvc1.1.6.L93.B0`.
  ///
  /// Source: ISO/IEC 14496-15, annex E.3.
  package var codecString: String {
    var reversed: UInt32 = 0
    for bit in 0..<32 as Range<UInt32> where compatibility >> bit & 1 == 1 {
      reversed |= 1 << (31 - bit)
    }
    var text = "hvc1."
    if let space = ["", "A", "B", "C"].dropFirst(Int(profileSpace)).first { text += space }
    text += "\(profile)." + String(reversed, radix: 16, uppercase: true)
    text += ".\(isHighTier ? "H" : "L")\(level)"
    let used = constraints.lastIndex { $0 != 0 } ?? -1
    for byte in constraints[0..<used + 1] {
      text += "." + String(byte, radix: 16, uppercase: true)
    }
    return text
  }
}

/// A picture's size in luma samples.
package struct PictureSize: Sendable, Hashable, Codable {
  package var width: Int
  package var height: Int

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }
}

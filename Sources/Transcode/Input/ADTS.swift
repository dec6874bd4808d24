/// AAC with a header on each frame, as in MPEG-TS and `.aac` files.
///
/// - Note: Source: ISO/IEC 13818-7, 6.2.
enum ADTS {
  /// The header of one frame, read.
  struct Header: Equatable {
    /// 7 or 9 bytes.
    var byteCount: Int
    /// The AudioSpecificConfig that says the same.
    var configuration: [UInt8]
  }

  /// Reads a header.
  ///
  /// - Returns: nil if there is none, or one of channels that no short configuration can name.
  static func header(_ bytes: borrowing Span<UInt8>) -> Header? {
    guard bytes.count > 7, bytes[0] == 0xFF, bytes[1] & 0xF6 == 0xF0 else { return nil }
    let byteCount = bytes[1] & 1 == 1 ? 7 : 9
    let objectType = (bytes[2] >> 6) + 1
    let rateIndex = bytes[2] >> 2 & 0xF
    let channels = (bytes[2] & 1) << 2 | bytes[3] >> 6
    guard bytes.count > byteCount, rateIndex < 13, channels > 0 else { return nil }
    return Header(
      byteCount: byteCount,
      configuration: [objectType << 3 | rateIndex >> 1, rateIndex << 7 | channels << 3])
  }
}

import Media

/// The header of a PES packet: 14 bytes, or 19 where decoding and presentation differ.
///
/// Source: ISO/IEC 13818-1, 2.4.3.6.
struct PESHeader {
  private var bytes: (UInt64, UInt64, UInt64) = (0, 0, 0)
  private(set) var count = 0

  /// Makes a header.
  ///
  /// - Parameters:
  ///   - streamID: 0xE0 for video, 0xC0 for audio.
  ///   - pts: presentation time; its low 33 bits are written.
  ///   - dts: decoding time; left out if it is the same.
  ///   - payloadBytes: bytes after the header; nil, or too many for the field, for "to the end",
  ///     which only video may have.
  init(streamID: UInt8, pts: MediaTime, dts: MediaTime, payloadBytes: Int?) {
    let hasBoth = pts != dts
    let length = payloadBytes.map { $0 + (hasBoth ? 13 : 8) } ?? 0
    put(0)
    put(0)
    put(1)
    put(streamID)
    put(length <= 0xFFFF ? UInt8(truncatingIfNeeded: length >> 8) : 0)
    put(length <= 0xFFFF ? UInt8(truncatingIfNeeded: length) : 0)
    put(0x84)  // the payload begins with an access unit
    put(hasBoth ? 0xC0 : 0x80)
    put(hasBoth ? 10 : 5)
    put(time: pts, prefix: hasBoth ? 3 : 2)
    if hasBoth { put(time: dts, prefix: 1) }
  }

  private mutating func put(_ byte: UInt8) {
    unsafe withUnsafeMutableBytes(of: &bytes) { unsafe $0[count] = byte }
    count += 1
  }

  private mutating func put(time: MediaTime, prefix: UInt8) {
    let value = UInt64(bitPattern: time.ticks)
    put(prefix << 4 | UInt8(truncatingIfNeeded: value >> 29) & 0x0E | 1)
    put(UInt8(truncatingIfNeeded: value >> 22))
    put(UInt8(truncatingIfNeeded: value >> 14) & 0xFE | 1)
    put(UInt8(truncatingIfNeeded: value >> 7))
    put(UInt8(truncatingIfNeeded: value << 1) | 1)
  }

  /// Writes the bytes.
  func write(to cursor: inout PacketCursor) {
    unsafe withUnsafeBytes(of: bytes) { raw in
      unsafe raw.withMemoryRebound(to: UInt8.self) {
        unsafe cursor.write(UnsafeBufferPointer(rebasing: $0.prefix(count)))
      }
    }
  }
}

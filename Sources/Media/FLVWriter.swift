import Bytes

/// Writes an FLV file: a header once, then tags, each followed by its size.
///
/// Source: FLV 10.1, E.2 to E.4.
package enum FLVWriter {
  /// Appends the file header and the size 0 before the first tag.
  package static func header(hasAudio: Bool, hasVideo: Bool, to output: inout [UInt8]) {
    output += [0x46, 0x4C, 0x56, 1, (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0)]
    output.append(u32: 9)
    output.append(u32: 0)
  }

  /// Appends one tag.
  ///
  /// - Returns: false, and nothing is appended, if the body is longer than the 24 bits can say.
  @discardableResult
  package static func tag(
    _ kind: FLVTag.Kind, timestamp: UInt32, body: borrowing Span<UInt8>, to output: inout [UInt8]
  ) -> Bool {
    guard body.count <= 0xFF_FFFF else { return false }
    output.append(kind.rawValue)
    output.append(u24: UInt32(body.count))
    output.append(u24: timestamp & 0xFF_FFFF)
    output.append(UInt8(truncatingIfNeeded: timestamp >> 24))
    output.append(u24: 0)
    output.append(copying: body)
    output.append(u32: UInt32(body.count) + 11)
    return true
  }
}

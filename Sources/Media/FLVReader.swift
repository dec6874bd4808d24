import Bytes

/// Reads an FLV file as its bytes come: append some, take the tags that are whole.
///
/// A file that was cut off (a recording after a crash) gives all its whole tags.
package struct FLVReader: Sendable {
  private var bytes: [UInt8] = []
  private var cursor = ByteCursor()
  private var hasHeader = false

  /// What can be wrong with a file.
  package enum Failure: Error, Equatable, Sendable {
    /// It doesn't begin with `FLV`, version 1.
    case notFLV
    /// A tag that is neither sound, picture nor script data, or is encrypted: its first byte.
    case invalidTag(UInt8)
  }

  package init() {}

  /// Adds the next bytes of the file.
  package mutating func append(_ more: borrowing Span<UInt8>) {
    // What was read goes away here, once per append and not once per tag.
    bytes.removeFirst(cursor.offset)
    cursor.offset = 0
    bytes.append(copying: more)
  }

  /// Takes the next whole tag.
  ///
  /// - Returns: nil when more bytes are needed.
  /// - Throws: `Failure`; the reader stays where it is.
  package mutating func next() throws(Failure) -> FLVTag? {
    let held = self.bytes
    let bytes = held.span
    if !hasHeader {
      guard bytes.count >= 13 else { return nil }
      guard bytes[0] == 0x46, bytes[1] == 0x4C, bytes[2] == 0x56, bytes[3] == 1 else {
        throw .notFLV
      }
      var here = ByteCursor(at: 5)
      guard let size = try? here.u32(bytes), bytes.count >= max(9, Int(size)) + 4 else {
        return nil
      }
      cursor.offset = max(9, Int(size)) + 4
      hasHeader = true
    }
    if bytes.count > cursor.offset, FLVTag.Kind(rawValue: bytes[cursor.offset]) == nil {
      throw .invalidTag(bytes[cursor.offset])
    }
    var here = cursor
    do throws(ByteError) {
      let kind = FLVTag.Kind(rawValue: try here.u8(bytes)) ?? .script
      let size = Int(try here.u24(bytes))
      let low = try here.u24(bytes)
      let high = UInt32(try here.u8(bytes))
      try here.skip(3, bytes)
      let body = try here.bytes(size, bytes)
      try here.skip(4, bytes)
      cursor = here
      return FLVTag(kind: kind, timestamp: high << 24 | low, body: body)
    } catch {
      return nil
    }
  }
}

/// Where the NAL units stand in a frame whose units are prefixed by their length.
///
/// Iterating never fails: a length that is 0 is passed over, and one that reaches past the end ends
/// the iteration and sets `isDamaged`, so the good units before it are kept.
package struct NALUnits: Sendable {
  private let lengthSize: Int
  private var offset: Int
  /// Whether a length reached past the end of the frame.
  package private(set) var isDamaged = false

  /// Starts at an offset of the frame's bytes.
  ///
  /// - Parameters:
  ///   - lengthSize: bytes of each length: 1...4, as the decoder configuration says.
  ///   - offset: where the first length stands.
  @inlinable package init(lengthSize: Int, from offset: Int = 0) {
    self.init(checked: min(max(1, lengthSize), 4), max(0, offset))
  }

  @usableFromInline init(checked lengthSize: Int, _ offset: Int) {
    self.lengthSize = lengthSize
    self.offset = offset
  }

  /// The range of the next unit, without its length; nil at the end.
  package mutating func next(in bytes: borrowing Span<UInt8>) -> Range<Int>? {
    while offset < bytes.count {
      guard bytes.count - offset > lengthSize else {
        isDamaged = true
        offset = bytes.count
        return nil
      }
      var length = 0
      for index in offset..<offset + lengthSize { length = length << 8 | Int(bytes[index]) }
      let start = offset + lengthSize
      guard length <= bytes.count - start else {
        isDamaged = true
        offset = bytes.count
        return nil
      }
      offset = start + length
      if length > 0 { return start..<offset }
    }
    return nil
  }
}

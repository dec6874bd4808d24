import HTTPSemantics

/// Fields written as HPACK literals that no table takes note of (RFC 7541, 6.2.2).
///
/// libnghttp2 looks each field up, codes it and keeps it in the connection's table: a third of what
/// it costs to begin an answer. Next to a long body the bytes that this saves are nothing. Such
/// literals leave the tables of both sides as they are, so they may stand behind what libnghttp2
/// has written itself.
extension HeaderBlock {
  /// At least as many bytes as `writeLiterals` writes, for blocks of less than 16 KiB.
  var mostLiteralBytes: Int { unsafe bytes.count + 3 * entries.count }

  /// Writes all fields, but not the status.
  ///
  /// - Parameter target: has room for `mostLiteralBytes`.
  /// - Returns: where they end.
  func writeLiterals(to target: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    guard let text = unsafe bytes.baseAddress else { return unsafe target }
    var end = unsafe target
    for index in unsafe 0..<entries.count {
      let entry = unsafe entries[index]
      unsafe end.pointee = 0
      unsafe end += 1
      unsafe Self.write(text + Int(entry.nameOffset), Int(entry.nameCount), at: &end)
      unsafe Self.write(text + Int(entry.valueOffset), Int(entry.valueCount), at: &end)
    }
    return unsafe end
  }

  /// Writes a string without Huffman's code: its length (RFC 7541, 5.1), and its bytes.
  private static func write(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, at end: inout UnsafeMutablePointer<UInt8>
  ) {
    unsafe end.pointee = UInt8(min(count, 127))
    unsafe end += 1
    var rest = count - 127
    while rest >= 0 {
      unsafe end.pointee = UInt8(rest & 0x7f) | (rest >= 128 ? 0x80 : 0)
      unsafe end += 1
      rest = rest >= 128 ? rest >> 7 : -1
    }
    unsafe end.update(from: bytes, count: count)
    unsafe end += count
  }
}

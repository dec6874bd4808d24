/// CRC-32C (Castagnoli), by which what a disk gives back is told from what it was given.
///
/// Source: RFC 3720, appendix B.4. Eight bytes a step, by tables that are made once.
enum Checksum {
  private static let tables: [[UInt32]] = {
    var first = [UInt32](repeating: 0, count: 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
      first[index] = value
    }
    var all = [first]
    for table in 1..<8 {
      all.append(all[table - 1].map { $0 >> 8 ^ first[Int($0 & 255)] })
    }
    return all
  }()

  /// Sums bytes; complexity O(count).
  static func of(_ bytes: borrowing Span<UInt8>) -> UInt32 {
    let tables = tables
    var sum = ~UInt32(0)
    var index = 0
    let whole = bytes.count & ~7
    while index < whole {
      var low = sum
      for byte in 0..<4 { low ^= UInt32(bytes[index + byte]) << UInt32(8 * byte) }
      var next = tables[7][Int(low & 255)] ^ tables[6][Int(low >> 8 & 255)]
      next ^= tables[5][Int(low >> 16 & 255)] ^ tables[4][Int(low >> 24)]
      for byte in 4..<8 { next ^= tables[7 - byte][Int(bytes[index + byte])] }
      sum = next
      index += 8
    }
    while index < bytes.count {
      sum = sum >> 8 ^ tables[0][Int((sum ^ UInt32(bytes[index])) & 255)]
      index += 1
    }
    return ~sum
  }
}

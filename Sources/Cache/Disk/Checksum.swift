import CLinux

/// CRC-32C (Castagnoli), by which what a disk gives back is told from what it was given.
///
/// By the processor's instruction where there is one, by tables else. Source: RFC 3720, appendix
/// B.4.
enum Checksum {
  private static let hasInstruction = wl_has_crc32c()

  /// Sums bytes; complexity O(count).
  static func of(_ bytes: borrowing Span<UInt8>) -> UInt32 {
    hasInstruction ? byInstruction(bytes) : byTables(bytes)
  }

  // MARK: By the instruction

  /// So many bytes are summed by each of three sums at once.
  private static let stretch = 8 << 10

  /// What becomes of each byte of a sum once a stretch of zeros has followed it.
  ///
  /// A sum is linear: that of two stretches is that of the first, moved on by the second's length,
  /// and that of the second alone.
  private static let moved: [UInt32] = {
    let zeros = [UInt8](repeating: 0, count: stretch)
    var moved: [UInt32] = []
    for place in 0..<4 {
      for value in UInt32(0)..<256 {
        // It reads what the array has.
        let sum = unsafe zeros.withUnsafeBytes { zeros in
          unsafe wl_crc32c(value << UInt32(8 * place), zeros.baseAddress, UInt(zeros.count))
        }
        moved.append(sum)
      }
    }
    return moved
  }()

  private static func move(_ sum: UInt32, by moved: [UInt32]) -> UInt32 {
    moved[Int(sum & 255)] ^ moved[256 + Int(sum >> 8 & 255)] ^ moved[512 + Int(sum >> 16 & 255)]
      ^ moved[768 + Int(sum >> 24)]
  }

  /// Only where `wl_has_crc32c`.
  static func byInstruction(_ bytes: borrowing Span<UInt8>) -> UInt32 {
    let moved = moved
    // The calls read `3 * stretch` and `rest` bytes, which are there.
    return unsafe bytes.withUnsafeBytes { bytes in
      var sum = ~UInt32(0)
      var rest = unsafe bytes[...]
      while unsafe rest.count >= 3 * stretch {
        var sums: (UInt32, UInt32, UInt32) = (sum, 0, 0)
        unsafe withUnsafeMutablePointer(to: &sums) { sums in
          unsafe sums.withMemoryRebound(to: UInt32.self, capacity: 3) {
            unsafe wl_crc32c_three(
              $0, UnsafeRawBufferPointer(rebasing: rest).baseAddress, UInt(stretch))
          }
        }
        sum = move(move(sums.0, by: moved) ^ sums.1, by: moved) ^ sums.2
        unsafe rest = rest.dropFirst(3 * stretch)
      }
      return unsafe ~wl_crc32c(
        sum, UnsafeRawBufferPointer(rebasing: rest).baseAddress, UInt(rest.count))
    }
  }

  // MARK: By tables

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

  /// Eight bytes a step.
  static func byTables(_ bytes: borrowing Span<UInt8>) -> UInt32 {
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

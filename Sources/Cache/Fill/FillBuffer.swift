import CLinux

/// A body whose length is known, in the one array that it stays in: it is read while it is filled,
/// and nothing is copied when it is whole.
@safe struct FillBuffer: Sendable {
  /// As long as the whole; nobody may look beyond what was filled.
  let bytes: [UInt8]
  // Where the array's bytes are. Safe to share: one writes, and where nobody reads yet.
  nonisolated(unsafe) private let start: UnsafeMutablePointer<UInt8>

  /// Memory is laid in steps of so many bytes, a power of 2.
  private static let stepBytes = 128 << 10

  /// Makes an empty one; memory is taken as it is filled.
  ///
  /// - Parameter length: of the whole; nil for 0 or less.
  init?(length: Int) {
    guard length > 0 else { return nil }
    var start: UnsafeMutablePointer<UInt8>?
    // Bytes are of any value; those that were not filled are never handed out.
    unsafe bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
      unsafe start = buffer.baseAddress
      count = length
    }
    guard let start = unsafe start else { return nil }
    unsafe self.start = start
  }

  /// Writes a piece behind all that readers know of.
  ///
  /// - Parameters:
  ///   - piece: of the body.
  ///   - place: of its first byte, 0 or more.
  /// - Returns: false where it is more than there is room for; nothing is written then.
  func write(_ piece: borrowing Span<UInt8>, at place: Int) -> Bool {
    guard piece.count <= bytes.count - place else { return false }
    // The array is never changed as such, so its bytes stay where they are as long as this has it,
    // and nobody reads those from `place` on.
    unsafe piece.withUnsafeBufferPointer { piece in
      guard let from = piece.baseAddress else { return }
      layMemory(from: place, to: place + piece.count)
      unsafe (start + place).update(from: from, count: piece.count)
    }
    return true
  }

  /// Has memory laid for what is about to be written, and for what follows up to the next step.
  ///
  /// Page by page, as each is touched, it is a fourth of what a fill costs.
  private func layMemory(from place: Int, to end: Int) {
    func step(_ place: Int) -> Int { (place + Self.stepBytes - 1) & -Self.stepBytes }
    let (laid, wanted) = (step(place), min(step(end), bytes.count))
    if laid < wanted { unsafe wl_lay_memory(start + laid, UInt(wanted - laid)) }
  }
}

/// A body whose length is known, in the one array that it stays in: it is read while it is filled, and
/// nothing is copied when it is whole.
@safe struct FillBuffer {
  /// As long as the whole; nobody may look beyond what was filled.
  let bytes: [UInt8]
  /// Where the array's bytes are.
  private let start: UnsafeMutablePointer<UInt8>?
  private(set) var filled = 0

  /// Makes an empty one; memory is taken as it is filled.
  ///
  /// - Parameter length: of the whole, more than 0.
  init(length: Int) {
    var start: UnsafeMutablePointer<UInt8>?
    // Bytes are of any value; those that were not filled are never handed out.
    unsafe bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
      unsafe start = buffer.baseAddress
      count = length
    }
    unsafe self.start = start
  }

  /// Whether all of it has come.
  var isFull: Bool { filled == bytes.count }

  /// Adds a piece.
  ///
  /// - Returns: false where it is more than there is room for; nothing is added then.
  mutating func append(_ piece: [UInt8]) -> Bool {
    guard piece.count <= bytes.count - filled, let start = unsafe start else { return false }
    // The array is never changed as such, so its bytes stay where they are as long as this has it, and
    // nobody reads those behind `filled`.
    unsafe piece.withUnsafeBufferPointer { piece in
      guard let from = piece.baseAddress else { return }
      unsafe (start + filled).update(from: from, count: piece.count)
    }
    filled += piece.count
    return true
  }
}

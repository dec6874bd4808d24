/// Cuts an input in pieces, always the same ones for the same input.
///
/// The cuts come from the bytes themselves and not from bytes kept apart for them, so that real
/// traffic is a corpus as it is.
struct Pieces {
  private var state: UInt64

  init(for input: [UInt8]) {
    // FNV-1a.
    state = input.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// A number from 0 up to, not including, `limit`.
  mutating func number(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(truncatingIfNeeded: (state >> 33) % UInt64(max(1, limit)))
  }

  /// The ranges of the pieces, in order; mostly short ones, now and then a long one.
  mutating func ranges(of count: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    while start < count {
      let longest = [1, 4, 32, 512][number(below: 4)]
      let end = min(count, start + 1 + number(below: longest))
      ranges.append(start..<end)
      start = end
    }
    return ranges
  }
}

/// A short, stable stand-in for bytes, to compare what two ways of reading gave.
func digest(_ bytes: some Sequence<UInt8>) -> UInt64 {
  bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

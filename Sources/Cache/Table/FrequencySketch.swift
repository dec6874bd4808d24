/// How often each of very many keys was asked for lately, in a few bits each.
///
/// A count-min sketch of 4-bit counters that are halved now and then, so that what was asked for
/// once, long ago, is forgotten. Source: Einziger, Friedman and Manes, "TinyLFU".
struct FrequencySketch {
  /// 16 counters a word.
  private var table: [UInt64]
  private let mask: UInt64
  private var additions = 0

  private static let rows: [UInt64] = [
    0xc3a5_c85c_97cb_3127, 0xb492_b66f_be98_f273, 0x9ae1_6a3b_2f90_404f, 0xcbf2_9ce4_8422_2325,
  ]

  /// - Parameter keys: about how many are told apart; takes 8 to 16 bytes for each.
  init(keys: Int) {
    let words = max(8, keys).nextPowerOfTwo
    table = Array(repeating: 0, count: words)
    mask = UInt64(words - 1)
  }

  /// How often a key was noted, at most 15.
  func frequency(of key: CacheKey) -> Int {
    var least = 15
    for row in 0..<4 {
      let (word, shift) = place(key, row)
      least = min(least, Int(table[word] >> shift & 15))
    }
    return least
  }

  /// A key was asked for.
  ///
  /// - Parameters:
  ///   - key: the one.
  ///   - held: how many objects there are; after ten times as many requests what was counted is
  ///     halved, so that last hour's film doesn't outweigh what is watched now.
  mutating func note(_ key: CacheKey, held: Int) {
    var isAdded = false
    for row in 0..<4 {
      let (word, shift) = place(key, row)
      guard table[word] >> shift & 15 < 15 else { continue }
      table[word] += 1 << shift
      isAdded = true
    }
    guard isAdded else { return }
    additions += 1
    if additions >= max(64, held * 10) { halve() }
  }

  private func place(_ key: CacheKey, _ row: Int) -> (word: Int, shift: UInt64) {
    var hash = (key.low &+ UInt64(row) &* key.high) &* FrequencySketch.rows[row]
    hash ^= hash >> 32
    // Each row has four counters of a word of its own.
    let shift = (UInt64(row) << 2 | (hash >> 60 & 3)) << 2
    return (Int(hash & mask), shift)
  }

  private mutating func halve() {
    for index in table.indices { table[index] = table[index] >> 1 & 0x7777_7777_7777_7777 }
    additions /= 2
  }
}

extension Int {
  fileprivate var nextPowerOfTwo: Int {
    self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
  }
}

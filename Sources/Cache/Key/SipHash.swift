/// SipHash-2-4 with 128 bits: what a key's bytes come to under a secret.
///
/// Who doesn't know the secret can't make two addresses come to the same. Source: Aumasson and
/// Bernstein, "SipHash: a fast short-input PRF", and the reference implementation for 128 bits.
package struct SipHash: Sendable {
  private let k0: UInt64
  private let k1: UInt64

  /// - Parameters:
  ///   - k0: the secret's first half.
  ///   - k1: its second half.
  package init(k0: UInt64, k1: UInt64) {
    self.k0 = k0
    self.k1 = k1
  }

  /// A secret from the system's random source.
  package static func random() -> SipHash {
    var source = SystemRandomNumberGenerator()
    return SipHash(k0: source.next(), k1: source.next())
  }

  /// Hashes bytes; complexity O(count).
  package func hash(_ bytes: borrowing Span<UInt8>) -> CacheKey {
    var state = State(k0, k1)
    let whole = bytes.count & ~7
    var index = 0
    while index < whole {
      state.take(SipHash.word(bytes, index, 8))
      index += 8
    }
    let rest = SipHash.word(bytes, whole, bytes.count - whole)
    state.take(rest | UInt64(truncatingIfNeeded: bytes.count) << 56)
    return state.finish()
  }

  /// Up to eight bytes, the first lowest.
  private static func word(_ bytes: borrowing Span<UInt8>, _ start: Int, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in 0..<count { word |= UInt64(bytes[start + index]) << UInt64(8 * index) }
    return word
  }

  private struct State {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ k0: UInt64, _ k1: UInt64) {
      v0 = 0x736f_6d65_7073_6575 ^ k0
      v1 = 0x646f_7261_6e64_6f6d ^ k1 ^ 0xee
      v2 = 0x6c79_6765_6e65_7261 ^ k0
      v3 = 0x7465_6462_7974_6573 ^ k1
    }

    private mutating func round() {
      v0 &+= v1
      v1 = v1 << 13 | v1 >> 51
      v1 ^= v0
      v0 = v0 << 32 | v0 >> 32
      v2 &+= v3
      v3 = v3 << 16 | v3 >> 48
      v3 ^= v2
      v0 &+= v3
      v3 = v3 << 21 | v3 >> 43
      v3 ^= v0
      v2 &+= v1
      v1 = v1 << 17 | v1 >> 47
      v1 ^= v2
      v2 = v2 << 32 | v2 >> 32
    }

    mutating func take(_ word: UInt64) {
      v3 ^= word
      round()
      round()
      v0 ^= word
    }

    mutating func finish() -> CacheKey {
      v2 ^= 0xee
      for _ in 0..<4 { round() }
      let low = v0 ^ v1 ^ v2 ^ v3
      v1 ^= 0xdd
      for _ in 0..<4 { round() }
      return CacheKey(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }
  }
}

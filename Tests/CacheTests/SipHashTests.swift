import Testing

@testable import Cache

@Suite struct `Keys by SipHash` {
  /// The reference implementation's vectors: key 00…0f, input 00, 01 … of the length.
  private static let vectors: [(Int, UInt64, UInt64)] = [
    (0, 0xe6a8_25ba_047f_81a3, 0x9302_55c7_1472_f66d),
    (1, 0x44af_996b_d8c1_87da, 0x45fc_229b_1159_7634),
    (2, 0xc75d_a4a4_8d22_7781, 0xe4ff_0af6_de8b_a3fc),
    (3, 0x4ea9_6752_0cb6_709c, 0x51ed_8529_b0b6_335f),
  ]

  private func key(_ hash: SipHash, _ bytes: [UInt8]) -> CacheKey { hash.hash(bytes.span) }

  @Test(arguments: vectors)
  func `it comes to what the reference does`(_ length: Int, low: UInt64, high: UInt64) {
    let hash = SipHash(k0: 0x0706_0504_0302_0100, k1: 0x0f0e_0d0c_0b0a_0908)
    let found = key(hash, (0..<length).map { UInt8($0) })
    #expect(found == CacheKey(low: low, high: high))
  }

  @Test func `one bit makes another key`() {
    let hash = SipHash.random()
    let bytes = Array("GET https://example.com/hls/w/main/source/12-abc.ts".utf8)
    var seen: Set<CacheKey> = [key(hash, bytes), key(hash, Array(bytes.dropLast()))]
    seen.insert(key(SipHash.random(), bytes))
    for index in bytes.indices {
      for bit in 0..<8 {
        var other = bytes
        other[index] ^= 1 << UInt8(bit)
        seen.insert(key(hash, other))
      }
    }
    #expect(seen.count == bytes.count * 8 + 3)
  }
}

/// Bytes from hexadecimal digits; spaces are passed over.
func bytes(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map {
    UInt8(digits[$0] << 4 | digits[$0 + 1])
  }
}

/// A small generator with a seed, so that a failure comes again.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

/// Records as encoders write them.
enum Samples {
  static let avc320 = bytes(
    "0142c00dffe100176742c00dda05067e7c0440000003004000000f23c50aa801000468ce0fc8")
  static let avc1080 = bytes(
    "0142c028ffe100176742c028da01e0089f97011000003e90000ea600f1832a01000468ce0fc8")
  static let avc576Interlaced = bytes(
    "014d401effe10018674d401ef405a126c104000003000400000300c87c50aa8001000468de0fc8")
  static let avc444 = bytes(
    """
    01f4001effe1001a67f4001e919680a02fee2f011000000300100000030320f162ea
    01000568ce0f1920fff8f800
    """)
  static let hevc1078 = bytes(
    """
    01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff0160000003009000000300
    00030078959409a10001002c420101016000000300900000030000030078a003c0801107536595952930bc05a0
    2000000300200000030321a2000100064401c073c189
    """)
}

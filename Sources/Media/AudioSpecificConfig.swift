import Bytes

/// The configuration of AAC, as a sequence header carries it.
///
/// Source: ISO/IEC 14496-3, 1.6.2.1; both ways to signal SBR and PS are read.
package struct AudioSpecificConfig: Sendable, Equatable {
  /// The object type of the core coder: 2 is LC.
  package var objectType: UInt8
  /// Of the core coder, in Hz; half of what is heard where SBR doubles it.
  package var sampleRate: Int
  /// The core rate's place in the table of 13; nil for a rate that isn't in it.
  package var sampleRateIndex: UInt8?
  /// 0 where the channels are laid out by a program config element.
  package var channelConfiguration: UInt8
  /// How many channels are coded.
  package var channels: Int
  /// Samples of one frame: 1024, or 960.
  package var samplesPerFrame: Int
  /// Spectral band replication is announced, giving `extensionSampleRate`.
  package var hasSBR: Bool
  /// Parametric stereo is announced: one coded channel is heard as two.
  package var hasPS: Bool
  package var extensionSampleRate: Int?

  /// Sampling rates by index; 13 and 14 are reserved, 15 says that 24 bits follow.
  package static let sampleRates = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
  ]

  /// Reads a configuration.
  ///
  /// - Throws: `.truncated`, or `.invalid` for a rate or a channel layout that can't be.
  package init(_ record: borrowing Span<UInt8>) throws(ConfigurationError) {
    var bits = BitReader([UInt8](copying: record))
    objectType = try Self.objectType(&bits)
    (sampleRate, sampleRateIndex) = try Self.rate(&bits)
    channelConfiguration = UInt8(try bits.bits(4))
    hasSBR = false
    hasPS = false
    extensionSampleRate = nil
    if objectType == 5 || objectType == 29 {
      hasSBR = true
      hasPS = objectType == 29
      extensionSampleRate = try Self.rate(&bits).0
      objectType = try Self.objectType(&bits)
    }
    samplesPerFrame = 1024
    channels = Self.channelCounts[Int(channelConfiguration)]
    guard [1, 2, 3, 4, 6, 7].contains(objectType) else {
      // Other coders (ELD, USAC, …) are named, not packaged: their own fields aren't needed.
      return
    }
    samplesPerFrame = try bits.flag() ? 960 : 1024
    if try bits.flag() { try bits.skip(14) }
    try bits.skip(1)
    if channelConfiguration == 0 { channels = try Self.programConfigElement(&bits) }
    guard channels > 0 else { throw .invalid("channel configuration \(channelConfiguration)") }
    if !hasSBR { try? readSyncExtension(bits) }
  }

  /// Reads what old decoders don't look for: SBR and PS announced after the end.
  private mutating func readSyncExtension(_ start: BitReader) throws(ConfigurationError) {
    var bits = start
    guard try bits.bits(11) == 0x2B7, try Self.objectType(&bits) == 5, try bits.flag() else {
      return
    }
    extensionSampleRate = try Self.rate(&bits).0
    hasSBR = true
    if try bits.bits(11) == 0x548 { hasPS = try bits.flag() }
  }

  private static let channelCounts = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8, 0]

  private static func objectType(_ bits: inout BitReader) throws(ConfigurationError) -> UInt8 {
    let type = try bits.bits(5)
    return UInt8(type == 31 ? 32 + (try bits.bits(6)) : type)
  }

  private static func rate(
    _ bits: inout BitReader
  ) throws(ConfigurationError) -> (Int, UInt8?) {
    let index = try bits.bits(4)
    if index == 15 {
      let rate = Int(try bits.bits(24))
      guard rate > 0 else { throw .invalid("a sampling rate of 0") }
      return (rate, sampleRates.firstIndex(of: rate).map { UInt8($0) })
    }
    guard index < sampleRates.count else { throw .invalid("sampling rate index \(index)") }
    return (sampleRates[Int(index)], UInt8(index))
  }

  /// Counts the channels of a program config element.
  private static func programConfigElement(
    _ bits: inout BitReader
  ) throws(ConfigurationError) -> Int {
    try bits.skip(4 + 2 + 4)
    let front = Int(try bits.bits(4))
    let side = Int(try bits.bits(4))
    let back = Int(try bits.bits(4))
    let low = Int(try bits.bits(2))
    try bits.skip(3 + 4)
    if try bits.flag() { try bits.skip(4) }
    if try bits.flag() { try bits.skip(4) }
    if try bits.flag() { try bits.skip(3) }
    var channels = low
    for _ in 0..<front + side + back {
      channels += try bits.flag() ? 2 : 1
      try bits.skip(4)
    }
    return channels
  }

  /// The profile's name: `LC`, `HE` with SBR, `HEv2` with PS; empty for one that has none here.
  package var profileName: String {
    switch objectType {
    case 1: "Main"
    case 2: hasPS ? "HEv2" : hasSBR ? "HE" : "LC"
    case 3: "SSR"
    case 4: "LTP"
    default: ""
    }
  }

  /// The codec's name for playlists and MP4: `mp4a.40.2` for LC, `.5` with SBR, `.29` with PS.
  package var codecString: String {
    "mp4a.40.\(hasPS ? 29 : hasSBR ? 5 : Int(objectType))"
  }
}

import Testing

@testable import Media

@Suite struct `Codec configurations` {
  private func avc(_ record: [UInt8]) throws -> AVCDecoderConfiguration {
    try AVCDecoderConfiguration(record.span)
  }

  private func aac(_ record: [UInt8]) throws -> AudioSpecificConfig {
    try AudioSpecificConfig(record.span)
  }

  @Test func `x264's baseline record gives size, rate and name`() throws {
    let avc = try self.avc(Samples.avc320)
    #expect(avc.codecString == "avc1.42C00D")
    #expect(avc.profileName == "Baseline")
    #expect(avc.lengthSize == 4)
    #expect(avc.sequenceParameterSets.map(\.count) == [23])
    #expect(avc.pictureParameterSets == [bytes("68ce0fc8")])
    let picture = try #require(avc.picture)
    #expect((picture.width, picture.height) == (320, 180))
    #expect(picture.frameRate == 30)
    #expect(!picture.isInterlaced)
    #expect(picture.sampleAspect == .init(width: 1, height: 1))
    #expect(picture.level == 13)
  }

  @Test func `1080 lines are cropped out of 1088, at the NTSC rate`() throws {
    let configuration = try TrackConfiguration(codec: .h264, record: Samples.avc1080)
    #expect(configuration.size == PictureSize(width: 1920, height: 1080))
    #expect(configuration.frameRate == 30000.0 / 1001)
    #expect(configuration.codecString == "avc1.42C028")
  }

  @Test func `an interlaced picture has its whole height and its sample aspect`() throws {
    let picture = try #require(try avc(Samples.avc576Interlaced).picture)
    #expect((picture.width, picture.height) == (720, 576))
    #expect(picture.isInterlaced)
    #expect(picture.sampleAspect == .init(width: 16, height: 11))
    #expect(picture.frameRate == 25)
  }

  @Test func `4 4 4 chroma is cropped in single samples`() throws {
    let picture = try #require(try avc(Samples.avc444).picture)
    #expect((picture.width, picture.height) == (638, 358))
    #expect(picture.profile == 244)
  }

  @Test func `an H 265 record gives size and name`() throws {
    let configuration = try TrackConfiguration(codec: .h265, record: Samples.hevc1078)
    #expect(configuration.size == PictureSize(width: 1918, height: 1078))
    #expect(configuration.codecString == "hvc1.1.6.L120.90")
  }

  @Test(
    arguments: [
      ("1210", 2, 44_100, 2, "mp4a.40.2", nil),
      ("1190", 2, 48_000, 2, "mp4a.40.2", nil),
      ("1188", 2, 48_000, 1, "mp4a.40.2", nil),
      ("2b920800", 2, 22_050, 2, "mp4a.40.5", 44_100),
      ("131056e59d4880", 2, 24_000, 2, "mp4a.40.29", 48_000),
      ("eb8a0800", 2, 22_050, 1, "mp4a.40.29", 44_100),
      ("17801f4010", 2, 16_000, 2, "mp4a.40.2", nil),
    ] as [(String, UInt8, Int, Int, String, Int?)])
  func `an audio specific config is read`(
    record: String, type: UInt8, rate: Int, channels: Int, name: String, extended: Int?
  ) throws {
    let config = try aac(bytes(record))
    #expect(config.objectType == type)
    #expect(config.sampleRate == rate)
    #expect(config.channels == channels)
    #expect(config.codecString == name)
    let profiles = ["mp4a.40.2": "LC", "mp4a.40.5": "HE", "mp4a.40.29": "HEv2"]
    #expect(config.profileName == profiles[name])
    #expect(config.extensionSampleRate == extended)
    #expect(config.samplesPerFrame == 1024)
  }

  @Test func `a rate in 24 bits that no index means is kept`() throws {
    // AAC LC, index 15, 37,800 Hz, stereo.
    let config = try aac(bytes("1780 49d4 10"))
    #expect(config.sampleRate == 37_800)
    #expect(config.sampleRateIndex == nil)
  }

  @Test func `other codecs are named`() throws {
    func name(_ codec: Codec, _ record: String) throws -> String {
      try TrackConfiguration(codec: codec, record: bytes(record)).codecString
    }
    #expect(try name(.av1, "81080c00") == "av01.0.08M.08")
    #expect(try name(.av1, "8109cc00") == "av01.0.09H.10")
    #expect(try name(.vp9, "01000000 001f80020202 0000") == "vp09.00.31.08")
    #expect(try name(.vp9, "001f8002") == "vp09.00.31.08")
    #expect(try name(.opus, "4f70757348656164 01 02 3801 80bb0000 0000 00") == "opus")
    #expect(try name(.eac3, "") == "ec-3")
    let opus = try TrackConfiguration(
      codec: .opus, record: bytes("4f70757348656164 01 06 3801 80bb0000 0000 00"))
    #expect(opus.channels == 6)
  }

  @Test(arguments: [
    (Codec.h264, Samples.avc320), (.h264, Samples.avc576Interlaced), (.h264, Samples.avc444),
    (.h265, Samples.hevc1078), (.aac, bytes("131056e59d4880")), (.aac, bytes("17801f4010")),
    (.av1, bytes("81080c00")), (.vp9, bytes("01000000001f8002")), (.opus, bytes("4f707573")),
  ])
  func `a record cut at any byte, or with any byte wrong, never traps`(
    codec: Codec, record: [UInt8]
  ) {
    for length in 0...record.count {
      _ = try? TrackConfiguration(codec: codec, record: Array(record.prefix(length)))
      let inner = Array(record.prefix(length).dropFirst(8))
      _ = try? SequenceParameterSet(nal: inner.span)
    }
    for index in record.indices {
      for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
        var damaged = record
        damaged[index] = value
        _ = try? TrackConfiguration(codec: codec, record: damaged)
      }
    }
    var random = SeededGenerator(state: UInt64(record.count))
    for _ in 0..<2_000 {
      var damaged = record
      for _ in 0..<4 {
        damaged[.random(in: record.indices, using: &random)] = .random(
          in: 0 ... .max, using: &random)
      }
      _ = try? TrackConfiguration(codec: codec, record: damaged)
    }
  }

  @Test func `a record that misses a field says so`() {
    for length in 0..<Samples.avc320.count {
      #expect(throws: ConfigurationError.truncated) {
        try avc(Array(Samples.avc320.prefix(length)))
      }
    }
    for length in 0..<2 {
      #expect(throws: ConfigurationError.truncated) {
        try aac(Array(bytes("1210").prefix(length)))
      }
    }
  }
}

@Suite struct `Bit reader` {
  @Test func `fields of any width cross bytes`() throws {
    var reader = BitReader(bytes("a5 5a ff 00 12 34 56 78"))
    #expect(try reader.bits(3) == 0b101)
    #expect(try reader.bits(7) == 0b0010101)
    #expect(try reader.bits(0) == 0)
    #expect(try reader.bits(14) == 0b01_1010_1111_1111)
    #expect(try reader.bits(32) == 0x0012_3456)
    #expect(throws: ConfigurationError.truncated) { try reader.bits(9) }
    #expect(try reader.bits(8) == 0x78)
  }

  @Test func `Exp-Golomb codes are read, and the longest`() throws {
    // 1, 010, 011, 00100, 00101 → 0, 1, 2, 3, 4
    var reader = BitReader(bytes("a642 98e0"))
    #expect(try (0..<4).map { _ in try reader.ue() } == [0, 1, 2, 3])
    var signed = BitReader(bytes("a642 9800"))
    #expect(try (0..<4).map { _ in try signed.se() } == [0, 1, -1, 2])
    var longest = BitReader(bytes("00000001 fffffffe"))
    #expect(try longest.ue() == .max - 1)
    var tooLong = BitReader(bytes("00000000 ffffffffff"))
    #expect(throws: ConfigurationError.self) { try tooLong.ue() }
    #expect(tooLong.position == 0)
  }

  @Test func `emulation prevention bytes are taken out`() throws {
    var reader = BitReader(rbspOf: bytes("67 000003 01 000003 00 0003").span, from: 1)
    #expect(reader.left == 7 * 8)
    #expect(try reader.bits(32) == 0x0000_0100)
    #expect(try reader.bits(24) == 0)
  }
}

@Suite struct `NAL units` {
  @Test(arguments: 1...4) func `units are found with any size of length`(size: Int) {
    let units: [[UInt8]] = [[1], [2, 3], [], [UInt8](repeating: 9, count: 200)]
    var frame: [UInt8] = [0xEE]
    for unit in units {
      frame += (0..<size).map { UInt8(truncatingIfNeeded: unit.count >> (8 * (size - 1 - $0))) }
      frame += unit
    }
    var iterator = NALUnits(lengthSize: size, from: 1)
    var found: [[UInt8]] = []
    while let range = iterator.next(in: frame.span) { found.append(Array(frame[range])) }
    #expect(found == units.filter { !$0.isEmpty })
    #expect(!iterator.isDamaged)
  }

  @Test func `a frame cut anywhere keeps the units before the cut`() {
    let frame = bytes("00000002aabb 00000001cc 00000003ddeeff")
    let wholeAt = [0, 6, 11, 18]
    for length in 0...frame.count {
      var iterator = NALUnits(lengthSize: 4)
      var count = 0
      let cut = Array(frame.prefix(length))
      while iterator.next(in: cut.span) != nil { count += 1 }
      #expect(count == wholeAt.lastIndex { $0 <= length })
      #expect(iterator.isDamaged == !wholeAt.contains(length))
    }
  }
}

import Testing

@testable import Media

@Suite struct `Audio and video tags` {
  private func video(_ text: String) throws -> [VideoTag] {
    var tags: [VideoTag] = []
    try VideoTag.parse(bytes(text).span) { tags.append($0) }
    return tags
  }

  private func audio(_ text: String) throws -> [AudioTag] {
    var tags: [AudioTag] = []
    try AudioTag.parse(bytes(text).span) { tags.append($0) }
    return tags
  }

  @Test func `legacy H 264 is read`() throws {
    #expect(
      try video("17 00 000000 01640028")
        == [VideoTag(codec: .h264, isKeyframe: true, content: .sequenceStart, body: 5..<9)])
    #expect(
      try video("27 01 000042 00000001 09")
        == [
          VideoTag(
            codec: .h264, isKeyframe: false, content: .frame, compositionMilliseconds: 66,
            body: 5..<10)
        ])
    #expect(try video("27 01 ffffd7 00").first?.compositionMilliseconds == -41)
    #expect(try video("17 02 000000").first?.content == .sequenceEnd)
    #expect(try video("17 02").first?.content == .sequenceEnd)
    #expect(try video("57 00").first?.content == .other)
    #expect(try video("").isEmpty)
    #expect(throws: TagError.truncated) { try video("17 01 0000") }
    #expect(throws: TagError.unknownPacketType(3)) { try video("17 03 000000") }
    #expect(throws: TagError.unknownCodec("video codec 9")) { try video("19 01 000000") }
    #expect(try video("12 aabb").first?.codec == .h263)
  }

  @Test func `E-RTMP video is read, with and without a composition time`() throws {
    #expect(
      try video("90 68766331 0101")
        == [VideoTag(codec: .h265, isKeyframe: true, content: .sequenceStart, body: 5..<7)])
    #expect(
      try video("a1 61766331 000021 aabb")
        == [
          VideoTag(
            codec: .h264, isKeyframe: false, content: .frame, compositionMilliseconds: 33,
            body: 8..<10)
        ])
    #expect(
      try video("91 61763031 aabbcc")
        == [VideoTag(codec: .av1, isKeyframe: true, content: .frame, body: 5..<8)])
    #expect(try video("93 68766331 aabb").first?.body == 5..<7)
    #expect(try video("92 76703039").first?.content == .sequenceEnd)
    #expect(try video("d4 68766331 02").first?.content == .metadata)
    #expect(try video("d1 00").isEmpty)
    #expect(throws: TagError.unknownCodec("abcd")) { try video("90 61626364 00") }
    #expect(throws: TagError.unknownPacketType(8)) { try video("98 68766331 00") }
  }

  @Test func `a modifier shifts the time by nanoseconds, unknown ones are passed over`() throws {
    let tag = try #require(try video("97 02 07a120 01 61766331 000000 aa").first)
    #expect(tag.nanoseconds == 500_000)
    #expect(tag.content == .frame)
    #expect(tag.body == 13..<14)
    let long = "97 ff 0100 " + String(repeating: "00", count: 257) + "17 02 000001 03 68766331 aa"
    let second = try #require(try video(long).first)
    #expect(second.nanoseconds == 1)
    #expect(second.codec == .h265)
  }

  @Test func `several tracks come out of one message`() throws {
    let one = try video("96 01 61766331 05 000000 aa")
    #expect(one.map(\.trackID) == [5])
    #expect(one.map(\.body) == [10..<11])
    let many = try video("96 13 61766331 00 000002 aabb 01 000001 cc")
    #expect(many.map(\.trackID) == [0, 1])
    #expect(many.map(\.body) == [10..<12, 16..<17])
    let codecs = try audio("95 21 4f707573 00 000001 aa 6d703461 01 000002 bbcc")
    #expect(codecs.map(\.codec) == [.opus, .aac])
    #expect(codecs.map(\.body) == [10..<11, 19..<21])
    #expect(throws: TagError.truncated) { try video("96 13 61766331 00 000009 aabb") }
  }

  @Test func `sound is read, and silence is no error`() throws {
    #expect(
      try audio("af 00 1210")
        == [AudioTag(codec: .aac, content: .sequenceStart, body: 2..<4)])
    #expect(
      try audio("af 01 2110").first == AudioTag(codec: .aac, content: .frame, body: 2..<4))
    for silence in ["", "af", "af00", "af01", "91 6d703461", "2f"] {
      #expect(try audio(silence).isEmpty)
    }
    #expect(try audio("2f fffb").first?.codec == .mp3)
    #expect(try audio("90 4f707573 4f70").first?.content == .sequenceStart)
    #expect(try audio("91 664c6143 fff8").first?.codec == .flac)
    #expect(try audio("94 6d703461 0106").first?.content == .multichannel)
    #expect(throws: TagError.unknownCodec("sound format 12")) { try audio("cf 00") }
    #expect(throws: TagError.unknownPacketType(2)) { try audio("af 02 00") }
    #expect(throws: TagError.unknownCodec("avc1")) { try audio("91 61766331 00") }
  }

  @Test(arguments: [
    "17 00 000000 01640028", "97 02 07a120 01 61766331 000000 aa",
    "96 13 61766331 00 000002 aabb 01 000001 cc",
    "95 21 4f707573 00 000001 aa 6d703461 01 000002 bb",
    "97 ff 0003 000000 17 02 000001 03 68766331 aa", "97 ff ffff 00",
  ]) func `a message cut at any byte never traps, nor does one with any byte wrong`(text: String) {
    let whole = bytes(text)
    for length in 0...whole.count {
      try? VideoTag.parse(Array(whole.prefix(length)).span) { _ in }
      try? AudioTag.parse(Array(whole.prefix(length)).span) { _ in }
    }
    for index in whole.indices {
      for value in 0...UInt8.max {
        var damaged = whole
        damaged[index] = value
        try? VideoTag.parse(damaged.span) { #expect($0.body.upperBound <= whole.count) }
        try? AudioTag.parse(damaged.span) { #expect($0.body.upperBound <= whole.count) }
      }
    }
  }
}

@Suite struct `Tag demuxer` {
  private func take(
    _ demuxer: inout TagDemuxer, video text: String, at time: UInt32
  ) throws -> [MediaEvent] {
    var events: [MediaEvent] = []
    try demuxer.video(bytes(text), timestamp: time) { events.append($0) }
    return events
  }

  @Test func `messages become frames that share their bytes`() throws {
    var demuxer = TagDemuxer()
    let header = [0x17, 0, 0, 0, 0] + Samples.avc320
    var events: [MediaEvent] = []
    try demuxer.video(header, timestamp: 0) { events.append($0) }
    guard case .configuration(let configuration) = try #require(events.first) else {
      Issue.record("\(events)")
      return
    }
    #expect(configuration.size == PictureSize(width: 320, height: 180))
    // The same header again, with a time of 0, is nothing new.
    events = []
    try demuxer.video(header, timestamp: 0) { events.append($0) }
    #expect(events.isEmpty)
    events = try take(&demuxer, video: "17 01 000042 00000001 65", at: 1000)
    guard case .frame(let frame) = try #require(events.first) else { return }
    #expect(frame.dts == MediaTime(milliseconds: 1000))
    #expect(frame.pts == MediaTime(milliseconds: 1066))
    #expect(frame.isKeyframe)
    #expect(frame.payloadOffset == 5)
    #expect(frame.byteCount == 5)
  }

  @Test func `a sequence header at time 0 in mid-stream is no step back`() throws {
    var demuxer = TagDemuxer()
    _ = try take(&demuxer, video: "27 01 000000 00000001 41", at: 90_000)
    try demuxer.video([0x17, 0, 0, 0, 0] + Samples.avc320, timestamp: 0) { _ in }
    let events = try take(&demuxer, video: "27 01 000000 00000001 41", at: 90_033)
    #expect(events.count == 1)
    guard case .frame(let frame) = try #require(events.first) else { return }
    #expect(frame.dts.milliseconds == 90_033)
  }

  @Test func `tracks in one message have bytes of their own`() throws {
    var demuxer = TagDemuxer()
    let events = try take(
      &demuxer, video: "96 13 61766331 00 000002 aabb 01 000001 cc", at: 40)
    let frames = events.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
    #expect(frames.map { Array($0.payload[$0.payloadOffset...]) } == [[0xAA, 0xBB], [0xCC]])
    #expect(frames.map(\.trackID) == [0, 1])
  }

  @Test func `an unreadable record is refused with its codec`() {
    var demuxer = TagDemuxer()
    #expect(throws: TagError.configuration(.h264, .truncated)) {
      try demuxer.video(bytes("17 00 000000 0164"), timestamp: 0) { _ in }
    }
  }
}

@Suite struct `FLV files` {
  @Test func `what is written is read, however the bytes come`() throws {
    let tags = [
      FLVTag(kind: .script, timestamp: 0, body: [2, 0, 1]),
      FLVTag(kind: .video, timestamp: 0x01FF_FFFF, body: [UInt8](repeating: 7, count: 300)),
      FLVTag(kind: .audio, timestamp: 0xFFFF_FFFF, body: []),
    ]
    var file: [UInt8] = []
    FLVWriter.header(hasAudio: true, hasVideo: true, to: &file)
    for tag in tags {
      FLVWriter.tag(tag.kind, timestamp: tag.timestamp, body: tag.body.span, to: &file)
    }
    #expect(Array(file.prefix(13)) == bytes("464c5601 05 00000009 00000000"))
    #expect(Array(file[13..<24]) == bytes("12 000003 000000 00 000000"))
    for size in [1, 2, 3, 7, 100, 1000] {
      var reader = FLVReader()
      var read: [FLVTag] = []
      for start in stride(from: 0, to: file.count, by: size) {
        reader.append(file[start..<min(start + size, file.count)].span)
        while let tag = try reader.next() { read.append(tag) }
      }
      #expect(read == tags)
    }
  }

  @Test func `another file is refused`() {
    var reader = FLVReader()
    reader.append(bytes("0000001c667479706d703432000000").span)
    #expect(throws: FLVReader.Failure.notFLV) { try reader.next() }
  }
}

import Media
import Testing

@testable import Transcode

/// Encoders other than x264, where libavcodec has them.
@Suite struct `Worker process of a ladder in other codecs` {
  private static let rungs = [
    LadderRung(name: "only", width: 160, height: 90, videoBitrate: 100_000, audioBitrate: 64_000)
  ]

  private func run(_ encoder: String, _ source: [SourceEvent]) throws -> LadderPeer {
    var job = smallJob(Self.rungs)
    job.encoder = encoder
    let peer = try LadderPeer(job)
    peer.send(commands(source))
    try peer.drain()
    return peer
  }

  /// Checks what H.264's rungs keep as well, and that a decoder takes the record and the frames.
  private func check(_ peer: LadderPeer, _ codec: Codec, _ source: [SourceEvent]) throws {
    let sent = frames(source, .video)
    let got = peer.output(.rung(0)).frames
    #expect(got.allSatisfy { $0.frame.codec == codec })
    #expect(got.map(\.frame.pts).sorted() == sent.map(\.pts))
    let cuts = sent.filter(\.isKeyframe).map(\.pts)
    #expect(got.filter(\.isCut).map(\.frame.pts) == cuts)
    #expect(got.filter(\.frame.isKeyframe).map(\.frame.pts) == cuts)
    var last = MediaTime(ticks: .min)
    for (frame, _) in got {
      #expect(frame.dts > last && frame.dts <= frame.pts)
      last = frame.dts
    }
    let pictures = try peer.pictures(rung: 0, codec: codec)
    #expect(pictures.map(\.time) == sent.map(\.pts))
    #expect(pictures.allSatisfy { $0.picture.width == 160 && $0.picture.height == 90 })
  }

  @Test func `H.265 comes with an hvcC that names it`() throws {
    let source = try testEvents(frames: 66)
    let peer = try run("libx265", source)
    let record = try #require(peer.output(.rung(0)).record)
    let hevc = try HEVCDecoderConfiguration(record.span)
    #expect(hevc.lengthSize == 4)
    #expect(hevc.size == PictureSize(width: 160, height: 90))
    #expect(hevc.codecString.hasPrefix("hvc1.1.6.L"))
    try check(peer, .h265, source)
  }

  @Test func `AV1 comes with an av1C that names it`() throws {
    let source = try testEvents(frames: 66)
    let peer = try run("libsvtav1", source)
    let record = try #require(peer.output(.rung(0)).record)
    #expect(record[0] == 0x81)
    #expect(record[1] >> 5 == 0)
    #expect(record[4] >> 3 & 0xF == 1)
    let first = try #require(peer.output(.rung(0)).frames.first?.frame.payload)
    #expect(first[0] >> 3 & 0xF != 2)
    try check(peer, .av1, source)
  }

  @Test func `a sequence header and its record say the same`() throws {
    // Main profile, level 4.0 (8), main tier, no timing information.
    let header: [UInt8] = [0x0A, 0x05, 0x00, 0x00, 0x00, 0x42, 0xA8]
    let record = try AV1Record.configuration(sequenceHeader: [0x12, 0x00] + header)
    #expect(record == [0x81, 0x08, 0x0C, 0x00] + header)
    #expect(try AV1Record.configuration(sequenceHeader: record) == record)
    #expect(
      AV1Record.withoutDelimiters([0x12, 0x00] + header + [0x32, 1, 7]) == header + [0x32, 1, 7])
    for length in 0..<6 {
      #expect(throws: TranscodeError.self) {
        try AV1Record.configuration(sequenceHeader: Array(header.prefix(length)))
      }
    }
  }
}

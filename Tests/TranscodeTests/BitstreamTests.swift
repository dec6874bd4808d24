import Media
import Testing

@testable import Transcode

@Suite struct Bitstreams {
  @Test func `units are found behind start codes of three and four bytes`() {
    let bytes: [UInt8] = [
      0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 9, 0xF0, 0, 0, 1, 0x65,
    ]
    #expect(
      AnnexB.units(bytes.span).map { Array(bytes[$0]) } == [
        [0x67, 1], [0x68, 2], [9, 0xF0], [0x65],
      ])
    #expect(
      AnnexB.lengthPrefixed(bytes) == [0, 0, 0, 2, 0x67, 1, 0, 0, 0, 2, 0x68, 2, 0, 0, 0, 1, 0x65])
    for empty in [[], [0], [0, 0, 1], [0, 0, 1, 0, 0, 1]] as [[UInt8]] {
      #expect(AnnexB.units(empty.span).isEmpty)
    }
  }

  @Test func `parameter sets become a configuration that reads back`() throws {
    let sequence: [UInt8] = [0x67, 66, 0xC0, 30, 0xDA, 0x02, 0x80, 0xF6, 0x40]
    let picture: [UInt8] = [0x68, 0xCE, 0x3C, 0x80]
    let record = try AnnexB.configuration(
      parameterSets: [0, 0, 0, 1] + sequence + [0, 0, 1] + picture)
    let avc = try AVCDecoderConfiguration(record.span)
    #expect(avc.sequenceParameterSets == [sequence])
    #expect(avc.level == 30)
    #expect(throws: TranscodeError.self) {
      try AnnexB.configuration(parameterSets: [0, 0, 1] + picture)
    }
  }

  @Test func `an ADTS header becomes the configuration that says the same`() throws {
    func read(_ bytes: [UInt8]) -> ADTS.Header? { ADTS.header(bytes.span) }
    let header = try #require(read([0xFF, 0xF1, 0x4C, 0x80, 0x01, 0xBF, 0xFC, 0x21]))
    #expect(header.byteCount == 7)
    let aac = try AudioSpecificConfig(header.configuration.span)
    #expect(aac.objectType == 2)
    #expect(aac.sampleRate == 48_000)
    #expect(aac.channels == 2)
    #expect(read([0xFF, 0xF1, 0x4C, 0x80]) == nil)
    #expect(read([0xFF, 0x0F, 0x4C, 0x80, 0x01, 0xBF, 0xFC, 0x21]) == nil)
  }

  @Test func `tracks come out in the order of their times`() {
    func frame(_ track: Track, _ milliseconds: Int64) -> Frame {
      let time = MediaTime(milliseconds: milliseconds)
      return Frame(
        track: track, codec: track == .video ? .h264 : .aac, dts: time, pts: time,
        isKeyframe: true, payload: [])
    }
    var interleaver = Interleaver(tracks: [.video, .audio])
    var output: [Frame] = []
    for time in 0..<5 { interleaver.push(frame(.video, Int64(time) * 40)) }
    interleaver.pop(into: &output)
    #expect(output.isEmpty)
    for time in 0..<5 { interleaver.push(frame(.audio, Int64(time) * 21)) }
    interleaver.pop(into: &output)
    #expect(output.map(\.dts.milliseconds) == [0, 0, 21, 40, 42, 63, 80, 84])
    // A track that stays silent holds the other back for five seconds and no longer.
    for time in 5..<150 { interleaver.push(frame(.video, Int64(time) * 40)) }
    interleaver.pop(into: &output)
    #expect(output.last?.dts.milliseconds == 960)
    interleaver.pop(into: &output, isEnding: true)
    #expect(output.last?.dts.milliseconds == 5960)
    #expect(output.count == 155)
  }
}

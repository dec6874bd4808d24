import Media
import Recording
import Testing

@testable import Origin

@Suite struct `Rungs as tags` {
  private func picture(_ milliseconds: Int64, isKeyframe: Bool = false) -> Frame {
    Frame(
      track: .video, codec: .h264, dts: MediaTime(milliseconds: milliseconds),
      pts: MediaTime(milliseconds: milliseconds + 80), isKeyframe: isKeyframe,
      payload: [9, 9, 0, 0, 0, 1, 0x65], payloadOffset: 2)
  }

  private func tags() throws -> RungTags {
    var tags = RungTags()
    let header = tags.configure(try TrackConfiguration(codec: .h264, record: Encoder.avc))
    #expect(header?.payload == [0x17, 0, 0, 0, 0] + Encoder.avc)
    return tags
  }

  @Test func `are what a publisher would have sent`() throws {
    var tags = try tags()
    let sound = tags.configure(try TrackConfiguration(codec: .aac, record: Encoder.aac))
    #expect(sound?.payload == [0xAF, 0] + Encoder.aac)
    let first = tags.message(picture(40, isKeyframe: true))
    #expect(first?.payload == [0x17, 1, 0, 0, 80, 0, 0, 0, 1, 0x65])
    #expect(first?.timestamp == 40)
    #expect(first?.role == .keyframe)
    let second = tags.message(picture(80))
    #expect(second?.payload.prefix(5) == [0x27, 1, 0, 0, 80])
    let packet = Frame(
      track: .audio, codec: .aac, dts: MediaTime(milliseconds: 50),
      pts: MediaTime(milliseconds: 50), isKeyframe: true, payload: [7])
    let third = tags.message(packet)
    #expect(third?.payload == [0xAF, 1, 7])
    #expect(tags.headers.map(\.role) == [.videoHeader, .audioHeader])
  }

  @Test func `have nothing twice when an encoder is replaced, and nothing that can't be shown`()
    throws
  {
    var tags = try tags()
    for time in stride(from: Int64(0), to: 1_000, by: 40) {
      let message = tags.message(picture(time, isKeyframe: time == 0))
      #expect(message != nil)
    }
    // The next encoder begins with the segment before.
    _ = tags.configure(try TrackConfiguration(codec: .h264, record: Encoder.avc))
    let old = [
      tags.message(picture(0, isKeyframe: true)), tags.message(picture(960)),
      tags.message(picture(1_000)),
    ]
    #expect(old.allSatisfy { $0 == nil })
    let new = [tags.message(picture(2_000, isKeyframe: true)), tags.message(picture(2_040))]
    #expect(new.allSatisfy { $0 != nil })
  }
}

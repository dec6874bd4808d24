import RTMP
import Testing

@Suite struct `Stream metadata` {
  private func message(_ members: AMFValue, name: String = "onMetaData") -> [UInt8] {
    var payload: [UInt8] = []
    payload.append(amf0: .string(name))
    payload.append(amf0: members)
    return payload
  }

  @Test(
    arguments: [
      (AMFValue.number(2_500), 2_500_000), (.number(0), nil), (.number(-1), nil),
      (.number(.nan), nil), (.number(.infinity), nil), (.string("2500"), nil),
      (.number(1e300), nil),
    ] as [(AMFValue, Int?)])
  func `a bit rate is read where it makes sense`(value: AMFValue, expected: Int?) {
    for members in [
      AMFValue.object(["videodatarate": value]), .ecmaArray(["videodatarate": value]),
    ] {
      let metadata = StreamMetadata(message(members).span)
      #expect(metadata == StreamMetadata(videoBitrate: expected))
    }
  }

  @Test func `what is none is none`() {
    #expect(StreamMetadata(message(.object([:]), name: "onCuePoint").span) == nil)
    #expect(StreamMetadata(message(.null).span) == nil)
    #expect(StreamMetadata([UInt8]().span) == nil)
    let whole = message(.object(["videodatarate": .number(9)]))
    for count in 0..<whole.count - 3 { #expect(StreamMetadata(whole[..<count].span) == nil) }
  }
}

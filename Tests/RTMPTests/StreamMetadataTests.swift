import RTMP
import Testing

@Suite struct `Stream metadata` {
  private func metadata(_ payload: [UInt8]) -> StreamMetadata? { StreamMetadata(payload.span) }

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
      let found = metadata(message(members))
      #expect(found == StreamMetadata(videoBitrate: expected))
    }
  }

  @Test func `what is none is none`() {
    #expect(metadata(message(.object([:]), name: "onCuePoint")) == nil)
    #expect(metadata(message(.null)) == nil)
    #expect(metadata([]) == nil)
    let whole = message(.object(["videodatarate": .number(9)]))
    for count in 0..<whole.count - 3 {
      #expect(metadata(Array(whole[..<count]))?.videoBitrate == nil)
    }
  }
}

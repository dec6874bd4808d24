import Media
import Testing

@testable import Transcode

@Suite struct `Test pattern` {
  @Test func `the clock shows the time of day and passes midnight`() {
    let timeline = TestTimeline(rate: FrameRate(30), timeOfDay: 86_399.5)
    #expect(timeline.clock(timeline.position(ofFrame: 0)) == "23:59:59.15")
    #expect(timeline.clock(timeline.position(ofFrame: 14)) == "23:59:59.29")
    #expect(timeline.clock(timeline.position(ofFrame: 15)) == "00:00:00.00")
  }

  @Test(arguments: [FrameRate(30), FrameRate(25), FrameRate(30_000, per: 1001), FrameRate(1)])
  func `each second is marked for a tenth of it, from its first frame`(rate: FrameRate) {
    let timeline = TestTimeline(rate: rate, startFrame: rate.perSecond > 1 ? 7 : 0)
    var last = timeline.position(ofFrame: 0)
    for index in 1..<Int64(rate.perSecond * 20) {
      let position = timeline.position(ofFrame: index)
      if position.second != last.second {
        #expect(position.second == last.second + 1)
        #expect(position.frameInSecond == 0)
        #expect(position.isMarked)
      } else {
        #expect(position.frameInSecond == last.frameInSecond + 1)
        #expect(position.isMarked == (position.fraction < 0.1))
      }
      last = position
    }
  }

  @Test func `frame rates are read as people write them`() {
    #expect(FrameRate("30") == FrameRate("30/1").map { FrameRate($0.numerator * 1000, per: 1000) })
    #expect(FrameRate("29.97") == FrameRate(30_000, per: 1001))
    #expect(FrameRate("59.94") == FrameRate(60_000, per: 1001))
    #expect(FrameRate("12.5")?.perSecond == 12.5)
    for wrong in ["", "0", "-1", "1/0", "300", "a", "nan", "inf", "1/2/3"] {
      #expect(FrameRate(wrong) == nil)
    }
    #expect(FrameRate(30_000, per: 1001).description == "29.97")
    #expect(FrameRate(24_000, per: 1001).time(ofFrame: 24_000, scale: 1000) == 1_001_000)
  }

  @Test(arguments: [(160, 90), (1280, 720), (720, 1280), (1922, 1082), (161, 91)])
  func `the heart is bright while a second is marked, at any size`(width: Int, height: Int) {
    var picture = TestPicture(
      width: width, height: height, timeline: TestTimeline(startFrame: 25),
      title: "Größe / \u{1F600} & a name that is much too long for any picture to show it whole",
      details: "0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ ()!?'\"#%*&@")
    for index in Int64(0)..<12 {
      picture.draw(frame: index)
      let isMarked = picture.timeline.position(ofFrame: index).isMarked
      #expect((picture.picture.meanLuma(picture.layout.flashArea) > 200) == isMarked)
    }
  }

  @Test func `the tone is loud for the first tenth of each second`() {
    let tone = TestTone(timeline: TestTimeline(startFrame: 15), sampleRate: 48_000)
    let samples = tone.samples(from: 0, count: 48_000 * 2)
    func loudness(_ range: Range<Int>) -> Float { samples[range].map(\.magnitude).max() ?? 0 }
    #expect(loudness(0..<24_000) < 0.02)
    #expect(loudness(24_000..<28_800) > 0.19)
    #expect(loudness(28_801..<72_000) < 0.02)
    #expect(loudness(72_000..<76_800) > 0.19)
    #expect(tone.samples(from: 1000, count: 500) == Array(samples[1000..<1500]))
  }
}

import Media
import Testing

@testable import Transcode

@Suite struct Encoders {
  @Test(arguments: [FrameRate(30), FrameRate(30_000, per: 1001)])
  func `times and keyframes are exact over ten seconds`(rate: FrameRate) throws {
    let events = try testEvents(frames: 300, rate: rate)
    guard case .videoConfiguration(let record) = events[0],
      case .audioConfiguration(let sound) = events[1]
    else {
      Issue.record("the configurations come first")
      return
    }
    let avc = try AVCDecoderConfiguration(record.span)
    #expect(avc.profile == 66 || avc.profile == 100)
    #expect(avc.lengthSize == 4)
    #expect(avc.picture?.width == 320)
    #expect(avc.picture?.height == 180)
    let aac = try AudioSpecificConfig(sound.span)
    #expect(aac.objectType == 2)
    #expect(aac.sampleRate == 48_000)
    #expect(aac.channels == 2)

    let pictures = frames(events, .video)
    #expect(pictures.count == 300)
    for (index, frame) in pictures.enumerated() {
      #expect(frame.dts.ticks == rate.time(ofFrame: Int64(index), scale: 90_000))
      #expect(frame.pts == frame.dts)
      #expect(frame.isKeyframe == (index % 60 == 0))
    }
    let sounds = frames(events, .audio)
    #expect(sounds.count >= 466)
    for (index, frame) in sounds.enumerated() { #expect(frame.dts.ticks == Int64(index) * 1920) }
  }

  @Test func `flash and beep come within a frame of each other after decoding`() throws {
    let timeline = TestTimeline(rate: FrameRate(30), startFrame: 11)
    let events = try testEvents(frames: 160, timeline: timeline)
    let file = try TemporaryFile(flvBytes(events), suffix: ".flv")
    let layout = TestPictureLayout(width: 320, height: 180)
    let decoded = try Decoded(file, area: layout.flashArea)
    #expect(decoded.pictures.count == 160)
    #expect(decoded.soundStart == .zero)

    let (flashes, beeps) = decoded.marks()
    #expect(flashes.count == 5)
    #expect(beeps.count == 5)
    for (second, (flash, beep)) in zip(flashes, beeps).enumerated() {
      #expect(abs(flash - beep) < 1.0 / 30)
      #expect(abs(flash - (Double(second) + 19.0 / 30)) < 0.002)
    }
  }

  @Test func `a picture that is not later than the last is passed over`() throws {
    var encoder = try VideoEncoder(smallVideo())
    let picture = YUVPicture(width: 320, height: 180)
    var frames: [Frame] = []
    for ticks in [0, 3000, 3000, 1000, 6000] as [Int64] {
      try encoder.encode(picture, at: MediaTime(ticks: ticks), into: &frames)
    }
    #expect(frames.map(\.dts.ticks) == [0, 3000, 6000])
  }

  @Test func `a setting that the encoder refuses is an error that names it`() {
    var settings = smallVideo()
    settings.preset = "warp"
    let error = #expect(throws: TranscodeError.self) { _ = try VideoEncoder(settings).name }
    #expect(error?.message.contains("libx264") == true)
  }

  @Test func `sound that ends in the middle of an AAC frame is filled with silence`() throws {
    var encoder = try AudioEncoder(AudioSettings())
    var frames: [Frame] = []
    let samples = [Float](repeating: 0.1, count: 1500)
    encoder.begin(at: MediaTime(milliseconds: 500))
    try encoder.encode(left: samples.span, right: samples.span, into: &frames)
    try encoder.finish(into: &frames)
    #expect(frames.map(\.dts.ticks) == [45_000, 46_920])
  }

  /// Encodes pieces of 1024 samples at these times, as a ladder does; gives the frames' times.
  private func followed(_ times: [MediaTime]) throws -> [MediaTime] {
    var encoder = try AudioEncoder(AudioSettings())
    var frames: [Frame] = []
    let piece = [Float](repeating: 0.1, count: 1024)
    for time in times {
      let alignment = try encoder.align(
        to: time, filling: MediaTime(milliseconds: 1_000), follows: true, into: &frames)
      if alignment == .isPast { continue }
      try encoder.encode(left: piece.span, right: piece.span, into: &frames)
    }
    try encoder.finish(into: &frames)
    return frames.map(\.pts)
  }

  @Test func `sound follows a clock that drifts, without a step`() throws {
    // Whole milliseconds of a clock that is a thousandth too slow: 60 ms in a minute.
    let times = (0..<2_812).map { index in
      MediaTime(milliseconds: Int64((Double(index) * 21.3547).rounded(.down)))
    }
    let got = try followed(times)
    #expect(got.count >= times.count)
    for (sent, got) in zip(times, got) { #expect((sent - got).ticks.magnitude < 3 * 90) }
    for (a, b) in zip(got, got.dropFirst()) { #expect((b - a).ticks - 1920 < 40) }
  }

  @Test
  func `a short gap in the sound is silence, a long one stays, and what is past is not heard`()
    throws
  {
    let piece: Int64 = 1920
    var times = (0..<20).map { MediaTime(ticks: $0 * piece) }
    times += (0..<20).map { MediaTime(ticks: 45_000 + (20 + $0) * piece) }
    times += (0..<20).map { MediaTime(ticks: 450_000 + $0 * piece) }
    times += (0..<20).map { MediaTime(ticks: 440_000 + $0 * piece) }
    let got = try followed(times)
    for (a, b) in zip(got, got.dropFirst()) where b < MediaTime(ticks: 450_000) {
      #expect((b - a).ticks.magnitude < 2_000)
    }
    let jumps = zip(got, got.dropFirst()).filter { ($1 - $0).seconds > 1 }
    #expect(jumps.count == 1)
    #expect((got.last ?? .zero) < MediaTime(ticks: 450_000 + 24 * piece))
  }

  @Test func `one channel is encoded as one`() throws {
    var settings = AudioSettings()
    settings.channels = 1
    var encoder = try AudioEncoder(settings)
    let record = encoder.configuration
    #expect(try AudioSpecificConfig(record.span).channels == 1)
    var frames: [Frame] = []
    let samples = [Float](repeating: 0.1, count: 4_096)
    try encoder.encode(left: samples.span, right: samples.span, into: &frames)
    try encoder.finish(into: &frames)
    #expect(frames.count == 4)
  }
}

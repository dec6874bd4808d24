import Bytes
import Media
import Testing

@testable import Transcode

@Suite struct `The line of time of a recording` {
  /// H.264 in two sizes, and AAC in two rates.
  private static let video = record(width: 22)
  private static let otherVideo = record(width: 30)
  private static let audio: [UInt8] = [0x12, 0x10]
  private static let otherAudio: [UInt8] = [0x11, 0x90]

  /// A configuration whose picture is `width` macroblocks wide, and 18 high.
  private static func record(width: UInt32) -> [UInt8] {
    var bits: [Bool] = []
    func put(_ value: UInt32, _ count: Int) {
      for bit in (0..<count).reversed() { bits.append(value >> UInt32(bit) & 1 == 1) }
    }
    func code(_ value: UInt32) {
      let length = 32 - (value + 1).leadingZeroBitCount
      put(0, length - 1)
      put(value + 1, length)
    }
    put(66, 8)
    put(0, 8)
    put(30, 8)
    for value in [0, 0, 2, 0] as [UInt32] { code(value) }
    put(0, 1)
    code(width - 1)
    code(17)
    put(0b1_1000, 5)
    put(1, 1)
    while bits.count % 8 != 0 { bits.append(false) }
    var sps: [UInt8] = [0x67]
    for start in stride(from: 0, to: bits.count, by: 8) {
      sps.append(bits[start..<start + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) })
    }
    return [1, 66, 0, 30, 0xFF, 0xE1, 0, UInt8(sps.count)] + sps + [1, 0, 2, 0x68, 0xCE]
  }

  private func configuration(_ record: [UInt8], _ kind: FLVTag.Kind) -> FLVTag {
    FLVTag(
      kind: kind, timestamp: 0,
      body: (kind == .video ? [0x17, 0, 0, 0, 0] : [0xAF, 0]) + record)
  }

  private func picture(_ time: Int, key: Bool = false) -> FLVTag {
    FLVTag(
      kind: .video, timestamp: UInt32(truncatingIfNeeded: time),
      body: [key ? 0x17 : 0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x65])
  }

  private func sound(_ time: Int) -> FLVTag {
    FLVTag(
      kind: .audio, timestamp: UInt32(truncatingIfNeeded: time), body: [0xAF, 1, 1, 2, 3])
  }

  /// Five seconds of ten pictures and twenty packets a second, a keyframe in each second.
  private func media(from start: Int, seconds: Int = 5) -> [FLVTag] {
    (0..<seconds * 20).flatMap { index -> [FLVTag] in
      let time = start + index * 50
      return (index % 2 == 0 ? [picture(time, key: index % 20 == 0)] : []) + [sound(time)]
    }
  }

  private var head: [FLVTag] {
    [configuration(Self.video, .video), configuration(Self.audio, .audio)]
  }

  private func run(
    _ parts: [(tags: [FLVTag], startedAt: Double?, continues: Bool)]
  ) -> (timeline: RecordingTimeline, frames: [RecordingTimeline.Placed]) {
    var timeline = RecordingTimeline()
    var frames: [RecordingTimeline.Placed] = []
    for part in parts {
      timeline.beginPart(startedAt: part.startedAt, continues: part.continues)
      for tag in part.tags { timeline.take(tag) { frames.append($0) } }
    }
    // Each movie's tracks have times that grow, from 0 on.
    for movie in timeline.movies.indices {
      for track in Track.allCases {
        let times = frames.filter { $0.movie == movie && $0.frame.track == track }.map(\.dts)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect((times.first ?? 0) >= 0)
      }
    }
    #expect(frames.allSatisfy { $0.pts >= $0.dts })
    return (timeline, frames)
  }

  @Test func `one part is one movie, from 0 on`() {
    let (timeline, frames) = run([(head + media(from: 777_000), 1_000, false)])
    #expect(timeline.movies.count == 1)
    #expect(frames.count == 150)
    #expect(frames.first?.dts == 0)
    #expect(timeline.end == 5 * 90_000)
    #expect(timeline.gaps.isEmpty && timeline.leftOut.isEmpty)
    #expect(timeline.movies[0].video?.size?.width == 352)
  }

  @Test func `a part that continues leaves no seam`() {
    let whole = head + media(from: 1_000, seconds: 10)
    let cut = whole.count / 2
    let one = run([(whole, 1_000, false)])
    let two = run([
      (Array(whole[..<cut]), 1_000, false), (head + whole[cut...], 1_005, true),
    ])
    #expect(two.frames.map(\.dts) == one.frames.map(\.dts))
    #expect(two.timeline.gaps.isEmpty)
  }

  @Test func `a publisher that was away is joined, and the time it was away is noted`() {
    let (timeline, frames) = run([
      (head + media(from: 50_000), 1_000, false), (head + media(from: 0), 1_065, false),
    ])
    #expect(timeline.movies.count == 1)
    #expect(timeline.end == 10 * 90_000)
    #expect(frames.count == 300)
    #expect(timeline.gaps == [.init(at: 5, seconds: 60, reason: .reconnect)])
    // Where nobody knows how long, that is said, too.
    let unknown = run([(head + media(from: 0), nil, false), (head + media(from: 0), nil, false)])
    #expect(unknown.timeline.gaps == [.init(at: 5, seconds: nil, reason: .reconnect)])
  }

  @Test func `clocks that leap and wrap leave no hole`() {
    let tags =
      head + media(from: 0, seconds: 2) + media(from: 40_000_000, seconds: 2)
      + media(from: 5_000, seconds: 2)
    let (timeline, frames) = run([(tags, nil, false)])
    #expect(timeline.movies.count == 1)
    #expect(frames.count == 180)
    #expect(abs(Double(timeline.end) / 90_000 - 6) < 0.2)
    #expect(timeline.gaps.map(\.reason) == [.clock, .clock])
    let wrap = run([(head + media(from: Int(UInt32.max) - 2_000), nil, false)])
    #expect(wrap.timeline.gaps.isEmpty)
    #expect(wrap.timeline.end == 5 * 90_000)
  }

  @Test func `a silence stays, and is noted`() {
    let (timeline, _) = run([(head + media(from: 0) + media(from: 25_000), nil, false)])
    #expect(timeline.end == 30 * 90_000)
    #expect(timeline.gaps == [.init(at: 5, seconds: 20, reason: .silence)])
  }

  @Test func `another size begins another movie, at a keyframe`() {
    let other = [configuration(Self.otherVideo, .video)]
    let tags = head + media(from: 0) + other + [picture(5_000)] + media(from: 5_050)
    let (timeline, frames) = run([(tags, nil, false)])
    #expect(timeline.movies.count == 2)
    #expect(timeline.movies[1].video?.size?.width == 480)
    #expect(timeline.movies[1].audio == timeline.movies[0].audio)
    let first = frames.first { $0.movie == 1 }
    #expect(first?.frame.isKeyframe == true && first?.dts == 0)
    #expect(timeline.leftOut == ["pictures before the first keyframe": 1])
    // The same configuration once more changes nothing.
    let same = run([(head + media(from: 0) + head + media(from: 5_000), nil, false)])
    #expect(same.timeline.movies.count == 1)
  }

  @Test func `sound at another rate begins another movie, too`() {
    let tags =
      head + media(from: 0) + [configuration(Self.otherAudio, .audio)] + media(from: 5_000)
    let (timeline, frames) = run([(tags, nil, false)])
    #expect(timeline.movies.count == 2)
    #expect(timeline.movies[1].audio?.sampleRate == 48_000)
    let pictures = frames.filter { $0.movie == 1 && $0.frame.track == .video }
    #expect(pictures.first?.frame.isKeyframe == true)
  }

  @Test func `a keyframe that comes after sound of a later time is kept, and what hangs on it`() {
    let pictures = [picture(0, key: true), picture(40), picture(80)]
    let start = [head[1], sound(30), head[0]] + pictures + [sound(60)] + media(from: 100)
    let change =
      head + media(from: 0) + [configuration(Self.otherAudio, .audio), sound(5_030)]
      + [picture(5_000, key: true), picture(5_040)] + media(from: 5_100)
    for (tags, movie) in [(start, 0), (change, 1)] {
      let (timeline, frames) = run([(tags, nil, false)])
      let shown = frames.filter { $0.movie == movie && $0.frame.track == .video }
      #expect(shown.first?.frame.isKeyframe == true)
      #expect(shown.first?.dts == 0)
      #expect(timeline.leftOut.isEmpty)
      #expect(timeline.movies.count == movie + 1)
    }
  }

  @Test func `one track alone is a movie, and another may come later`() {
    let pictures = [head[0]] + media(from: 0).filter { $0.kind == .video }
    let sounds = [head[1]] + media(from: 0).filter { $0.kind == .audio }
    #expect(run([(pictures, nil, false)]).timeline.movies.first?.audio == nil)
    #expect(run([(sounds, nil, false)]).timeline.movies.first?.video == nil)
    let late = run([(sounds, 0, false), (head + media(from: 0), 5, false)])
    #expect(late.timeline.movies.count == 1)
    #expect(late.timeline.movies[0].video != nil)
  }

  @Test func `what has no place in an MP4 is left out, and said`() {
    let vp6 = FLVTag(kind: .video, timestamp: 0, body: [0x14, 1, 2, 3])
    let bare = run([(media(from: 0) + [vp6], nil, false)])
    #expect(bare.timeline.movies.isEmpty)
    #expect(bare.timeline.leftOut.keys.contains("h264 without its configuration"))
    let many = (0..<12).flatMap { index in
      [configuration(index % 2 == 0 ? Self.video : Self.otherVideo, .video)]
        + media(from: index * 1_000, seconds: 1)
    }
    let (timeline, _) = run([(head + many, nil, false)])
    #expect(timeline.movies.count == RecordingTimeline.maximumMovies)
    #expect(!timeline.leftOut.isEmpty)
  }
}

@Suite struct `Sound placed on samples` {
  @Test(arguments: [44_100, 48_000, 22_050])
  func `packets follow each other without a hole, whatever milliseconds say`(_ rate: Int) {
    var clock = SampleClock(rate: rate, packetSamples: 1_024)
    for index in 0..<100_000 {
      let milliseconds = index * 1_024 * 1_000 / rate
      #expect(clock.place(Int64(milliseconds) * 90) == Int64(index) * 1_024)
    }
  }

  @Test func `a real hole stays, and time never goes back`() {
    var clock = SampleClock(rate: 48_000, packetSamples: 1_024)
    #expect(clock.place(0) == 0)
    #expect(clock.place(90_000) == 48_000)
    #expect(clock.place(0) == 48_001)
    var other = SampleClock(rate: 48_000, packetSamples: 0)
    #expect(other.place(90) == 48)
    #expect(other.place(90) == 49)
  }
}

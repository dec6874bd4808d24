import Media
import Testing

@testable import Transcode

/// Sources that are not plain: each comes out as the rungs promise.
@Suite struct `Worker process with odd sources` {
  private func encoded(
    _ filter: String, _ options: [String] = [], and inputs: [String] = [], seconds: String = "2"
  ) throws -> [SourceEvent] {
    try publishedEvents(
      ["-f", "lavfi", "-i", filter] + inputs
        + ["-t", seconds, "-c:v", "libx264", "-preset", "ultrafast"] + options)
  }

  private func run(
    _ source: [SourceEvent], _ rungs: [LadderRung] = smallRungs, rate: FrameRate = FrameRate(30)
  ) throws -> LadderPeer {
    let peer = try LadderPeer(smallJob(rungs))
    peer.send(commands(source, rate: rate))
    try peer.drain()
    return peer
  }

  @Test func `pictures that are reordered keep their times`() throws {
    let source = try encoded(
      "testsrc2=s=320x180:r=25",
      [
        "-preset", "veryfast", "-bf", "3", "-g", "25", "-x264-params",
        "scenecut=0:open-gop=1:b-adapt=0",
      ])
    let sent = frames(source, .video)
    #expect(sent.contains { $0.pts > $0.dts })
    let peer = try run(source, rate: FrameRate(25))
    for rung in 0..<2 {
      let got = peer.output(.rung(rung)).frames
      #expect(got.map(\.frame.pts).sorted() == sent.map(\.pts).sorted())
      #expect(got.filter(\.isCut).map(\.frame.pts) == sent.filter(\.isKeyframe).map(\.pts))
    }
  }

  @Test func `pictures at uneven times keep them`() throws {
    let source = try encoded(
      "testsrc2=s=320x180:r=60,select='not(mod(n,7))+lt(mod(n,50),20)'",
      ["-fps_mode", "vfr", "-preset", "veryfast", "-bf", "2", "-g", "20"])
    let sent = frames(source, .video)
    let steps = Set(zip(sent, sent.dropFirst()).map { ($1.dts - $0.dts).milliseconds / 10 })
    #expect(steps.count > 2)
    var job = smallJob()
    job.preset = "veryfast"
    let peer = try LadderPeer(job)
    peer.send(commands(source, rate: FrameRate(60)))
    try peer.drain()
    for rung in 0..<2 {
      let got = peer.output(.rung(rung)).frames
      #expect(got.map(\.frame.pts).sorted() == sent.map(\.pts).sorted())
      #expect(got.filter(\.isCut).map(\.frame.pts) == sent.filter(\.isKeyframe).map(\.pts))
      for (a, b) in zip(got, got.dropFirst()) { #expect(a.frame.dts < b.frame.dts) }
      #expect(got.allSatisfy { $0.frame.dts <= $0.frame.pts })
    }
  }

  @Test func `fields become whole pictures`() throws {
    // A bar that moves 8 pixels from field to field: each picture has a comb on both its edges.
    let bar =
      "color=black:s=320x192:r=50[a];color=white:s=40x192:r=50[b];"
      + "[a][b]overlay=x='mod(t*400,320)':shortest=1,format=yuv420p"
    let options = ["-flags", "+ilme+ildct", "-x264-params", "tff=1", "-g", "50"]
    let source = try encoded(bar + ",interlace=lowpass=off", options, seconds: "1")
    let rungs = [
      LadderRung(name: "same", width: 342, height: 192, videoBitrate: 900_000, audioBitrate: 64_000)
    ]
    let peer = try run(source, rungs, rate: FrameRate(25))
    let pictures = try peer.pictures(rung: 0)
    #expect(pictures.map(\.time) == frames(source, .video).map(\.pts).sorted())
    #expect(pictures.allSatisfy { $0.picture.width == 320 && $0.picture.height == 192 })
    let combs = pictures.map { comb($0.picture) }
    #expect(combs.dropFirst(2).allSatisfy { $0 < 0.1 }, "\(combs)")
    // The measure is one that can fail: the source has them.
    let woven = try LadderPicture.decoded(source).map { comb($0) }
    #expect(woven.dropFirst(2).allSatisfy { $0 > 0.5 }, "\(woven)")
  }

  /// How much more each row differs from its neighbour than from the next but one: 0...1.
  private func comb(_ picture: YUVPicture) -> Double {
    var near = 0
    var far = 0
    for y in 0..<picture.height - 2 {
      for x in 0..<picture.width {
        let here = Int(picture.y[y * picture.width + x])
        near += abs(here - Int(picture.y[(y + 1) * picture.width + x]))
        far += abs(here - Int(picture.y[(y + 2) * picture.width + x]))
      }
    }
    return near == 0 ? 0 : Double(max(0, near - far)) / Double(near + 20_000)
  }

  @Test(arguments: [
    ("testsrc2=s=180x144:r=25,setsar=64/45", "yuv420p", [(160, 90)]),
    ("testsrc2=s=180x320:r=25", "yuv420p", [(180, 320), (90, 160)]),
    ("testsrc2=s=321x181:r=25", "yuv444p", [(320, 180), (160, 90)]),
    ("testsrc2=s=400x100:r=25", "yuv420p10le", [(320, 80), (160, 40)]),
    ("testsrc2=s=64x48:r=25", "yuv422p", [(64, 48)]),
  ])
  func `the shape is kept in pixels that are square`(
    filter: String, format: String, sizes: [(Int, Int)]
  ) throws {
    let source = try encoded(filter, ["-pix_fmt", format, "-g", "10"], seconds: "1")
    let peer = try run(source, rate: FrameRate(25))
    let rungs = smallRungs.indices.filter { peer.output(.rung($0)).record != nil }
    #expect(rungs.count == sizes.count)
    for (rung, size) in zip(rungs, sizes) {
      let picture = try #require(peer.configuration(rung: rung).picture)
      #expect(picture.width == size.0)
      #expect(picture.height == size.1)
      #expect(picture.sampleAspect.width == picture.sampleAspect.height)
      #expect(peer.output(.rung(rung)).frames.count == frames(source, .video).count)
    }
  }

  @Test(arguments: ["scale=out_range=full,format=yuvj420p", "format=yuv420p"])
  func `white is white in the range of television`(format: String) throws {
    let source = try encoded(
      "color=white:s=320x180:r=25," + format, ["-g", "25"], seconds: "0.4")
    let peer = try run(source, rate: FrameRate(25))
    for rung in 0..<2 {
      let pictures = try peer.pictures(rung: rung)
      #expect(pictures.count == 10)
      let luma = try #require(pictures.last?.picture.y)
      #expect(luma.allSatisfy { (233...237).contains($0) }, "\(luma[0])")
    }
  }

  @Test func `a source that changes its size goes on in the rungs' sizes`() throws {
    let first = try encoded("testsrc2=s=320x180:r=25", ["-g", "25"], seconds: "1")
    let second = try encoded("testsrc2=s=160x160:r=25", ["-g", "25"], seconds: "1")
    let peer = try LadderPeer(smallJob())
    peer.send(commands(first, rate: FrameRate(25)))
    let later = second.map { event in
      guard case .frame(var frame) = event else { return event }
      frame.dts += MediaTime(milliseconds: 1_000)
      frame.pts += MediaTime(milliseconds: 1_000)
      return .frame(frame)
    }
    peer.send(commands(later, rate: FrameRate(25)))
    try peer.drain()
    let records = peer.events.filter { if case .configuration = $0 { true } else { false } }
    #expect(records.count == 2)
    for (rung, width) in [(0, 320), (1, 160)] {
      let pictures = try peer.pictures(rung: rung)
      #expect(pictures.count == 50)
      #expect(pictures.allSatisfy { $0.picture.width == width })
      #expect(peer.output(.rung(rung)).frames.filter(\.isCut).count == 2)
    }
    // After a drain the rungs are planned anew: 160x160 fills none but the smallest.
    peer.send(commands(second, rate: FrameRate(25)))
    try peer.drain(2)
    #expect(peer.output(.rung(0)).frames.count == 50)
    #expect(peer.output(.rung(1)).frames.count == 75)
    #expect(try peer.configuration(rung: 1).picture?.width == 90)
  }

  @Test func `sound is made for those rungs alone that a source gets`() throws {
    func source(_ size: String) throws -> [SourceEvent] {
      try encoded(
        "testsrc2=s=\(size):r=25", ["-g", "25"],
        and: ["-f", "lavfi", "-i", "sine=f=440:r=48000"], seconds: "1")
    }
    let (small, large) = (try source("160x90"), try source("320x180"))
    let peer = try LadderPeer(smallJob())
    func count(_ index: Int) -> Int { peer.output(.audio(index)).frames.count }
    peer.send(commands(small, rate: FrameRate(25)))
    try peer.drain()
    #expect(count(0) == 0)
    let one = count(1)
    #expect(one > 40)
    // A node drains where the source changes: the larger rung is made now, and heard.
    peer.send(commands(large, rate: FrameRate(25)))
    try peer.drain(2)
    #expect(count(0) == one)
    #expect(count(1) == 2 * one)
    peer.send(commands(small, rate: FrameRate(25)))
    try peer.drain(3)
    #expect(count(0) == one)
    #expect(count(1) == 3 * one)
  }

  @Test(arguments: [(1, 44_100, 44_100, 1), (6, 48_000, 48_000, 2), (2, 32_000, 48_000, 2)])
  func `sound is brought to what players take`(
    channels: Int, rate: Int, made: Int, mixed: Int
  ) throws {
    let source = try publishedEvents(
      [
        "-f", "lavfi", "-i", "sine=f=440:r=\(rate)", "-t", "2", "-ac", "\(channels)", "-c:a",
        "aac",
      ], suffix: ".mp4")
    let peer = try run(source)
    let sent = frames(source, .audio)
    for index in 0..<2 {
      let (record, got) = peer.output(.audio(index))
      let bytes = try #require(record)
      let config = try AudioSpecificConfig(bytes.span)
      #expect(config.sampleRate == made)
      #expect(config.channels == mixed)
      let first = try #require(got.first?.frame.pts)
      let last = try #require(got.last?.frame.pts)
      let tolerance = MediaTime(milliseconds: 50).ticks
      #expect((first - sent[0].pts).ticks.magnitude < tolerance)
      #expect((last - sent[sent.count - 1].pts).ticks.magnitude < tolerance * 2)
    }
  }
}

extension LadderPicture {
  /// A source's own pictures.
  static func decoded(_ events: [SourceEvent]) throws -> [YUVPicture] {
    var pictures: [YUVPicture] = []
    for case .videoConfiguration(let record) in events {
      var decoder = try CodecContext.decoder(.h264, record: record)
      var packet = try MediaPacket()
      var decoded = try MediaFrame()
      for frame in frames(events, .video) {
        let data = frame.payload.span.extracting(droppingFirst: frame.payloadOffset)
        try packet.fill(data, pts: frame.pts.ticks, dts: frame.dts.ticks)
        _ = try decoder.decode(packet)
        while try decoder.receive(&decoded) == .ready {
          var picture = YUVPicture(width: decoded.width, height: decoded.height)
          picture.y = decoded.plane(0, rowBytes: decoded.width, rows: decoded.height)
          pictures.append(picture)
        }
      }
    }
    return pictures
  }
}

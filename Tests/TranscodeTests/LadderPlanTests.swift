import Media
import Testing

@testable import Transcode

@Suite struct `Ladder plan` {
  private func sizes(
    _ width: Int, _ height: Int, aspect: (width: Int, height: Int) = (1, 1),
    _ rungs: [LadderRung] = LadderRung.defaults
  ) -> [String] {
    LadderPlan(
      source: PictureSize(width: width, height: height), pixelAspect: aspect, rungs: rungs
    ).entries.map { "\($0.rung.name) \($0.size.width)x\($0.size.height)" }
  }

  @Test func `a source is made in its own size and in all below`() {
    #expect(
      sizes(1920, 1080) == [
        "1080p 1920x1080", "720p 1280x720", "480p 854x480", "360p 640x360", "240p 426x240",
      ])
    #expect(sizes(3840, 2160).count == 6)
    #expect(sizes(7680, 4320).first == "4k 3840x2160")
    #expect(sizes(1280, 720).first == "720p 1280x720")
  }

  @Test func `a source that just misses a box keeps its own size`() {
    #expect(sizes(1280, 718).first == "720p 1280x718")
    #expect(sizes(852, 480).first == "480p 852x480")
    #expect(sizes(1279, 719).first == "480p 854x480")
    #expect(sizes(1920, 1088).first == "1080p 1906x1080")
  }

  @Test func `a portrait source turns the boxes`() {
    #expect(
      sizes(1080, 1920) == [
        "1080p 1080x1920", "720p 720x1280", "480p 480x854", "360p 360x640", "240p 240x426",
      ])
  }

  @Test func `pixels that are not square become square`() {
    // 16:9 and 4:3 television, and an anamorphic portrait.
    #expect(
      sizes(720, 576, aspect: (64, 45)) == ["480p 854x480", "360p 640x360", "240p 426x240"])
    #expect(
      sizes(720, 576, aspect: (16, 15)) == ["480p 640x480", "360p 480x360", "240p 320x240"])
    #expect(sizes(1440, 1080, aspect: (4, 3)).first == "1080p 1920x1080")
    #expect(sizes(1080, 1440, aspect: (3, 4)).first == "1080p 1080x1920")
    #expect(sizes(640, 360, aspect: (0, 1)).first == "360p 640x360")
    #expect(sizes(640, 360, aspect: (1, 9_999)).first == "360p 640x360")
  }

  @Test func `the smallest is made however small the source is, and never larger`() {
    #expect(sizes(320, 180) == ["240p 320x180"])
    #expect(sizes(321, 181) == ["240p 320x180"])
    #expect(sizes(180, 320) == ["240p 180x320"])
    #expect(sizes(2, 2) == ["240p 16x16"])
    #expect(sizes(0, 0).count == 1)
    #expect(sizes(640, 360, []).isEmpty)
  }

  @Test func `sizes are even, inside the box, inside the source and of its shape`() {
    for width in stride(from: 90, to: 4_200, by: 97) {
      for height in stride(from: 90, to: 2_400, by: 61) {
        let source = PictureSize(width: width, height: height)
        let plan = LadderPlan(source: source, rungs: LadderRung.defaults)
        #expect(!plan.entries.isEmpty)
        for entry in plan.entries {
          let (size, rung) = (entry.size, entry.rung)
          #expect(size.width & 1 == 0 && size.height & 1 == 0)
          #expect(size.width <= width && size.height <= height)
          #expect(max(size.width, size.height) <= rung.width)
          #expect(min(size.width, size.height) <= rung.height)
          // A ribbon's short side can't follow: no encoder takes less than 16.
          if min(size.width, size.height) == 16 { continue }
          let off = Double(size.width) / Double(size.height) * Double(height) / Double(width)
          let rounding = 2.5 / Double(min(size.width, size.height))
          #expect(abs(off - 1) < rounding, "\(source) became \(size)")
        }
      }
    }
  }

  @Test func `the cascade goes from large to small, whatever the order given`() {
    let plan = LadderPlan(
      source: PictureSize(width: 1920, height: 1080), rungs: LadderRung.defaults.reversed())
    #expect(plan.entries.map(\.index) == [0, 1, 2, 3, 4])
    #expect(plan.cascade.map(\.rung.name) == ["1080p", "720p", "480p", "360p", "240p"])
    #expect(plan.cascade.map(\.index) == [4, 3, 2, 1, 0])
  }

  @Test func `each distinct audio bitrate is one stream`() {
    let job = LadderJob()
    #expect(job.audioBitrates == [256_000, 192_000, 128_000, 96_000, 64_000])
    #expect((0..<6).map { job.audioIndex(ofRung: $0) } == [0, 1, 2, 3, 4, 4])
    #expect(job.rungs(of: .audio(4)) == [4, 5])
    #expect(job.rungs(of: .rung(5)) == [5])
    // A worker that has been taken over names others.
    #expect(job.rungs(of: .rung(6)).isEmpty && job.rungs(of: .audio(31)).isEmpty)
  }

  @Test func `a job crosses in arguments unchanged`() throws {
    var job = LadderJob(rungs: LadderRung.defaults + [LadderRung.defaults[2]])
    job.rungs[1].name = "a:b=c, d"
    job.encoder = "libx265"
    job.preset = "medium"
    job.tune = "film"
    job.threads = 3
    job.patience = MediaTime(milliseconds: 3_500)
    job.recoverySeconds = 7
    job.limits.memoryBytes = 123 << 20
    job.limits.niceness = 0
    #expect(try LadderJob(arguments: job.arguments) == job)
    for wrong in [
      "rungs=0", "rungs=33", "rung0=1x1:2:3:x", "rung0=640x360:800000:64000", "threads=-1",
      "patience=soon", "nice=99", "bogus=1", "rung7=640x360:800000:64000:x",
    ] {
      let name = wrong.prefix { $0 != "=" }
      let words = job.arguments.filter { !$0.hasPrefix(name + "=") } + [wrong]
      let error = #expect(throws: TranscodeError.self) { _ = try LadderJob(arguments: words) }
      #expect(error?.code == .usage)
    }
  }
}

import Origin
import Testing
import Transcode

@testable import wedlive

@Suite struct `Qualities` {
  @Test(arguments: [
    ("1280x720 2800k 128k", Quality(1280, 720, 2_800_000, 128_000)),
    ("854X480  1.4M 96000", Quality(854, 480, 1_400_000, 96_000)),
    ("off", Quality.off), ("OFF", .off), ("false", .off),
  ])
  func `a quality is read`(text: String, expected: Quality) {
    #expect(Quality(text) == expected)
  }

  @Test(arguments: [
    "", "1280x720", "1280x720 2800k", "1280 720 2800k 128k", "x720 1k 1k", "1280x720 2800 128k",
    "1280x720 2800k 1k", "1280x720 -2800k 128k", "32x18 2800k 128k", "1280x720x1 2800k 128k",
    "1280x720 2.8.8M 128k", "9000x720 2800k 128k", "1280x720 1e7 128k", "1280x720 900G 128k",
  ])
  func `what is none is refused`(text: String) {
    #expect(Quality(text) == nil)
  }

  @Test func `what is written is read again`() {
    for (_, quality) in QualitiesSection().named {
      #expect(Quality("\(quality)") == quality)
    }
    #expect("\(Quality(1, 2, 1_234_567, 128_000))" == "1x2 1234567 128k")
    #expect("\(Quality.off)" == "off")
  }

  @Test func `the ladder has what is on, the largest first`() throws {
    var configuration = NodeConfiguration()
    #expect(configuration.origin.streams.ladder == nil)
    configuration.transcode.enabled = true
    configuration.qualities.p2160 = .off
    configuration.qualities.p360 = try #require(Quality("2560x1440 9M 192k"))
    let ladder = try #require(configuration.origin.streams.ladder)
    #expect(ladder.job.rungs.map(\.name) == ["360p", "1080p", "720p", "480p", "240p"])
    #expect(ladder.job.rungs[2].videoBitrate == 2_800_000)
  }
}

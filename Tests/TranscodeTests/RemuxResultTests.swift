import Testing

@testable import Transcode

@Suite struct `What a remux worker says` {
  private let sound = RemuxResult(
    durationSeconds: 12,
    movies: [
      .init(
        file: "recording.mp4", bytes: 1_000, durationSeconds: 12,
        video: .init(
          codec: "h264", codecString: "avc1", width: 1, height: 1, frameRate: 25, frames: 1,
          bitrate: 1),
        audio: .init(codec: "aac", codecString: "mp4a", sampleRate: 1, channels: 1, bitrate: 1),
        playback: .init(
          file: "hls.mp4", bytes: 900, headerBytes: 100,
          segments: [
            .init(offset: 100, bytes: 500, seconds: 6), .init(offset: 600, bytes: 300, seconds: 6),
          ]))
    ],
    thumbnails: [.init(file: "thumbnail-1.jpg", bytes: 5, at: 1, width: 16, height: 16)],
    sprite: .init(
      file: "sprite.jpg", index: "sprite.vtt", bytes: 7, tiles: 1, columns: 1, tileWidth: 2,
      tileHeight: 2, intervalSeconds: 3),
    gaps: [.init(at: 1, seconds: nil, reason: .damage)])
  private let files = [
    "recording.mp4": 1_000, "hls.mp4": 900, "thumbnail-1.jpg": 5, "sprite.jpg": 7, "sprite.vtt": 9,
  ]

  @Test func `is believed if the files agree`() {
    #expect(sound.isSound { files[$0] })
  }

  @Test func `is not believed where it points out of its files, or counts what can't be`() {
    let lies: [(inout RemuxResult) -> Void] = [
      { $0.movies = [] }, { $0.movies += $0.movies }, { $0.movies[0].bytes = 999 },
      { $0.movies[0].file = "../recording.mp4" }, { $0.durationSeconds = -1 },
      { $0.movies[0].durationSeconds = .infinity }, { $0.movies[0].video?.width = -5 },
      { $0.movies[0].video?.frameRate = .nan }, { $0.movies[0].audio?.channels = 0 },
      { $0.movies[0].playback?.headerBytes = -1 }, { $0.movies[0].playback?.headerBytes = 901 },
      { $0.movies[0].playback?.segments[0].offset = -100 },
      { $0.movies[0].playback?.segments[1].bytes = 301 },
      { $0.movies[0].playback?.segments[1].bytes = .max },
      { $0.movies[0].playback?.segments[0].seconds = -1 },
      { $0.movies[0].playback?.file = "recording.mp4" }, { $0.thumbnails[0].bytes = 6 },
      { $0.thumbnails[0].file = "thumbnail-2.jpg" }, { $0.sprite?.index = "none" },
      { $0.sprite?.columns = 0 }, { $0.gaps[0].at = .nan },
      { $0.movies[0].video?.codecString = "avc1\"\n#EXT-X-KEY" },
      { $0.movies[0].audio?.codec = String(repeating: "a", count: 64) },
      { $0.leftOut = [String(repeating: "a", count: 301)] }, { $0.leftOut = ["a\nb"] },
    ]
    for (index, lie) in lies.enumerated() {
      var result = sound
      lie(&result)
      #expect(!result.isSound { files[$0] }, "lie \(index)")
    }
  }

  @Test func `crosses in messages that come in any pieces`() throws {
    let messages: [RemuxMessage] = [
      .progress(0), .progress(1_000), .file(.thumbnail(1), [1, 2, 3]), .file(.sprite, []),
      .file(.index, [4]), .result([5, 6]), .failed(code: 70, words: "es ging nicht"),
    ]
    var bytes: [UInt8] = []
    for message in messages { message.append(to: &bytes) }
    for cut in 0...bytes.count {
      var feed = RemuxFeed()
      var read: [RemuxMessage] = []
      for piece in [bytes[..<cut], bytes[cut...]] {
        let part = Array(piece)
        feed.append(part.span)
        while let message = try feed.next() { read.append(message) }
      }
      #expect(read == messages)
    }
    let broken: [[UInt8]] = [
      [0, 0, 0, 0], [255, 255, 255, 255], [0, 0, 0, 1, 9], [0, 0, 0, 3, 1, 0, 0],
    ]
    for wrong in broken {
      var feed = RemuxFeed()
      feed.append(wrong.span)
      #expect(throws: TranscodeError.self) { _ = try feed.next() }
    }
  }

  @Test func `a job crosses in arguments unchanged`() throws {
    var job = RemuxJob(parts: [
      .init(path: "/a", startedAt: 1_764_325_300.25), .init(path: "/b", continues: true),
    ])
    job.thumbnails = 3
    job.makesSprite = false
    let order = RemuxOrder(job)
    #expect(try RemuxOrder(arguments: order.arguments) == order)
    for wrong in ["parts=0", "part0=x:y", "part1=nan:true", "segment=0", "bogus=1"] {
      let name = wrong.prefix { $0 != "=" }
      let words = order.arguments.filter { !$0.hasPrefix(name + "=") } + [wrong]
      let error = #expect(throws: TranscodeError.self) { _ = try RemuxOrder(arguments: words) }
      #expect(error?.code == .usage)
    }
  }
}

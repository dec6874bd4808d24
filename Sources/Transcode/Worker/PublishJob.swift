/// What a publish worker is to make, as it crosses from the parent to the child in arguments.
package struct PublishJob: Equatable, Sendable {
  /// Where the media comes from.
  package enum Source: Equatable, Sendable {
    /// A test picture with this name on it, and this second of the day on its clock.
    case test(title: String, timeOfDay: Double)
    /// The file that stands open as `WorkerProcess.inputDescriptor`.
    case file(loops: Bool, keepsSourceSize: Bool)
  }

  package var source: Source
  package var video = VideoSettings()
  package var audio = AudioSettings()
  package var limits = WorkerLimits()

  package init(_ source: Source) { self.source = source }

  /// `name=value` words; `init(arguments:)` reads them.
  package var arguments: [String] {
    var words: [String]
    switch source {
    case .test(let title, let timeOfDay):
      words = ["source=test", "title=\(title)", "time-of-day=\(timeOfDay)"]
    case .file(let loops, let keepsSourceSize):
      words = ["source=file", "loop=\(loops)", "keep-size=\(keepsSourceSize)"]
    }
    words += [
      "width=\(video.width)", "height=\(video.height)",
      "rate=\(video.rate.numerator)/\(video.rate.denominator)", "bitrate=\(video.bitrate)",
      "keyframe-interval=\(video.keyframeInterval)", "encoder=\(video.encoder)",
      "preset=\(video.preset)", "profile=\(video.profile)", "threads=\(video.threads)",
      "fill=\(video.fillsBitrate)", "sample-rate=\(audio.sampleRate)",
      "audio-bitrate=\(audio.bitrate)",
    ]
    return words + limits.arguments
  }

  /// Reads what `arguments` wrote.
  ///
  /// - Throws: `.usage`, naming the word that is unknown or has no sense.
  package init(arguments: [String]) throws(TranscodeError) {
    var words = try WorkerArguments(arguments)
    switch try words.text("source") {
    case "test":
      source = .test(
        title: try words.text("title"),
        timeOfDay: try words.take("time-of-day") { Double($0).flatMap { $0.isFinite ? $0 : nil } })
    case "file":
      source = .file(
        loops: try words.take("loop") { Bool($0) },
        keepsSourceSize: try words.take("keep-size") { Bool($0) })
    case let other:
      throw TranscodeError(.usage, "source=\(other) makes no sense")
    }
    video.width = try words.count("width", in: 160...7680) & ~1
    video.height = try words.count("height", in: 90...4320) & ~1
    video.rate = try words.take("rate") { FrameRate($0) }
    video.bitrate = try words.count("bitrate", in: 10_000...400_000_000)
    video.keyframeInterval = try words.count("keyframe-interval", in: 1...100_000)
    video.encoder = try words.text("encoder")
    video.preset = try words.text("preset")
    video.profile = try words.text("profile")
    video.threads = try words.count("threads", in: 0...64)
    video.fillsBitrate = try words.take("fill") { Bool($0) }
    audio.sampleRate = try words.count("sample-rate", in: 8_000...96_000)
    audio.bitrate = try words.count("audio-bitrate", in: 8_000...512_000)
    limits = try words.limits()
    try words.end()
  }
}

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
      "audio-bitrate=\(audio.bitrate)", "memory=\(limits.memoryBytes)", "nice=\(limits.niceness)",
    ]
    return words
  }

  /// Reads what `arguments` wrote.
  ///
  /// - Throws: `.usage`, naming the word that is unknown or has no sense.
  package init(arguments: [String]) throws(TranscodeError) {
    var values: [String: String] = [:]
    for word in arguments {
      guard let equals = word.firstIndex(of: "=") else {
        throw TranscodeError(.usage, "\(word): expected name=value")
      }
      values[String(word[..<equals])] = String(word[word.index(after: equals)...])
    }
    func take<Value>(
      _ name: String, _ read: (String) -> Value?
    ) throws(TranscodeError) -> Value {
      guard let text = values.removeValue(forKey: name) else {
        throw TranscodeError(.usage, "\(name) is missing")
      }
      guard let value = read(text) else {
        throw TranscodeError(.usage, "\(name)=\(text) makes no sense")
      }
      return value
    }
    func count(_ name: String, in range: ClosedRange<Int>) throws(TranscodeError) -> Int {
      try take(name) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }
    switch try take("source", { $0 }) {
    case "test":
      source = .test(
        title: try take("title") { $0 },
        timeOfDay: try take("time-of-day") { Double($0).flatMap { $0.isFinite ? $0 : nil } })
    case "file":
      source = .file(
        loops: try take("loop") { Bool($0) }, keepsSourceSize: try take("keep-size") { Bool($0) })
    case let other:
      throw TranscodeError(.usage, "source=\(other) makes no sense")
    }
    video.width = try count("width", in: 160...7680) & ~1
    video.height = try count("height", in: 90...4320) & ~1
    video.rate = try take("rate") { FrameRate($0) }
    video.bitrate = try count("bitrate", in: 10_000...400_000_000)
    video.keyframeInterval = try count("keyframe-interval", in: 1...100_000)
    video.encoder = try take("encoder") { $0 }
    video.preset = try take("preset") { $0 }
    video.profile = try take("profile") { $0 }
    video.threads = try count("threads", in: 0...64)
    video.fillsBitrate = try take("fill") { Bool($0) }
    audio.sampleRate = try count("sample-rate", in: 8_000...96_000)
    audio.bitrate = try count("audio-bitrate", in: 8_000...512_000)
    limits.memoryBytes = try take("memory") { UInt64($0) }
    limits.niceness = try count("nice", in: 0...19)
    if let unknown = values.keys.min() { throw TranscodeError(.usage, "\(unknown): unknown word") }
  }
}

/// What a worker may use.
package struct WorkerLimits: Equatable, Sendable {
  /// Of address space; 0 is no limit.
  ///
  /// A worker at 720p has 255 MB of it, of which 67 MB are in memory.
  package var memoryBytes: UInt64 = 2 << 30
  /// 0...19; above 0, the node's own threads are served first.
  package var niceness = 5
  /// What may wait in the socket: about how far a worker runs ahead of its parent.
  package var bufferBytes: CInt = 64 << 10

  package init() {}
}

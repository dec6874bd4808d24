/// A job as it crosses from the parent to the child: the files are descriptors by then.
struct RemuxOrder: Equatable, Sendable {
  struct Part: Equatable, Sendable {
    var startedAt: Double?
    var continues: Bool
  }

  var parts: [Part]
  var thumbnails: Int
  var thumbnailSide: Int
  var makesSprite: Bool
  var makesPlayback: Bool
  var segmentSeconds: Int
  var limits: WorkerLimits

  init(_ job: RemuxJob) {
    parts = job.parts.map { Part(startedAt: $0.startedAt, continues: $0.continues) }
    thumbnails = job.thumbnails
    thumbnailSide = job.thumbnailSide
    makesSprite = job.makesSprite
    makesPlayback = job.makesPlayback
    segmentSeconds = job.segmentSeconds
    limits = job.limits
  }

  /// Where the child finds a part.
  func descriptor(ofPart index: Int) -> CInt { WorkerProcess.inputDescriptor + CInt(index) }

  /// Where it finds the file that a movie goes into.
  func descriptor(ofMovie index: Int) -> CInt { descriptor(ofPart: parts.count + index) }

  /// Where it finds the file that a movie's fragments go into.
  func descriptor(ofPlayback index: Int) -> CInt {
    descriptor(ofMovie: RecordingTimeline.maximumMovies + index)
  }

  /// `name=value` words; `init(arguments:)` reads them.
  var arguments: [String] {
    let partWords = parts.enumerated().map { index, part in
      "part\(index)=\(part.startedAt.map { "\($0)" } ?? ""):\(part.continues)"
    }
    return ["parts=\(parts.count)"] + partWords + [
      "thumbnails=\(thumbnails)", "side=\(thumbnailSide)", "sprite=\(makesSprite)",
      "playback=\(makesPlayback)", "segment=\(segmentSeconds)",
    ] + limits.arguments
  }

  /// Reads what `arguments` wrote.
  ///
  /// - Throws: `.usage`, naming the word that is unknown or has no sense.
  init(arguments: [String]) throws(TranscodeError) {
    var words = try WorkerArguments(arguments)
    parts = []
    for index in 0..<(try words.count("parts", in: 1...RemuxJob.maximumParts)) {
      parts.append(try words.take("part\(index)", Self.part))
    }
    thumbnails = try words.count("thumbnails", in: 0...100)
    thumbnailSide = try words.count("side", in: 16...4096)
    makesSprite = try words.take("sprite") { Bool($0) }
    makesPlayback = try words.take("playback") { Bool($0) }
    segmentSeconds = try words.count("segment", in: 1...60)
    limits = try words.limits()
    try words.end()
  }

  /// Reads `1764325300.25:true`; the time may be missing.
  private static func part(_ text: String) -> Part? {
    let words = text.split(separator: ":", omittingEmptySubsequences: false)
    guard words.count == 2, let continues = Bool(String(words[1])) else { return nil }
    if words[0].isEmpty { return Part(startedAt: nil, continues: continues) }
    guard let time = Double(words[0]), time.isFinite else { return nil }
    return Part(startedAt: time, continues: continues)
  }
}

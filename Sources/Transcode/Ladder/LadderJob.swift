package import Media

/// What a transcode worker is to make, as it crosses from the parent to the child in arguments.
package struct LadderJob: Equatable, Sendable {
  /// The rungs; the wire names them by their place here, so there are 32 at most.
  package var rungs: [LadderRung]
  /// An encoder of libavcodec, such as `libx264`, `libx265`, `libsvtav1` or `h264_nvenc`.
  package var encoder = "libx264"
  /// The encoder's own trade of speed for quality.
  package var preset = "veryfast"
  /// The encoder's own tuning, such as `zerolatency` or `film`; empty is none.
  package var tune = ""
  /// Of each encoder; 0 takes more for larger pictures, as far as the machine has cores.
  package var threads = 0
  /// How far behind the source it may fall before it takes a step down.
  package var patience = MediaTime(milliseconds: 2_000)
  /// How long it must have kept up before it takes a step up, in seconds.
  package var recoverySeconds = 30
  /// Four rungs of a 720p source need 0.6 GB of address space, 0.25 GB of it in memory; six of a 4K
  /// source on two cores 2.2 GB and 1.5 GB; of an 8K source, with nine threads each, 4 GB and 1.6
  /// GB.
  package var limits: WorkerLimits

  /// The most rungs that a job may have.
  package static let maximumRungs = 32

  package init(rungs: [LadderRung] = LadderRung.defaults) {
    self.rungs = rungs
    limits = WorkerLimits()
    limits.memoryBytes = 6 << 30
    limits.bufferBytes = 1 << 20
  }

  /// The audio bitrates to make, in bits per second: each one once, in the rungs' order.
  package var audioBitrates: [Int] {
    var bitrates: [Int] = []
    for rung in rungs where !bitrates.contains(rung.audioBitrate) {
      bitrates.append(rung.audioBitrate)
    }
    return bitrates
  }

  /// Which of `audioBitrates` a rung is heard with.
  package func audioIndex(ofRung index: Int) -> Int {
    audioBitrates.firstIndex(of: rungs[index].audioBitrate) ?? 0
  }

  /// The rungs that a stream of the worker's is for; none for one that nobody has asked for.
  package func rungs(of stream: LadderEvent.Stream) -> [Int] {
    switch stream {
    case .rung(let index): rungs.indices.contains(index) ? [index] : []
    case .audio(let index): rungs.indices.filter { audioIndex(ofRung: $0) == index }
    }
  }

  /// `name=value` words; `init(arguments:)` reads them.
  package var arguments: [String] {
    let rungWords = rungs.enumerated().map { index, rung in
      "rung\(index)=\(rung.width)x\(rung.height):\(rung.videoBitrate):\(rung.audioBitrate)"
        + ":\(rung.name)"
    }
    return ["rungs=\(rungs.count)"] + rungWords + [
      "encoder=\(encoder)", "preset=\(preset)", "tune=\(tune)", "threads=\(threads)",
      "patience=\(patience.milliseconds)", "recovery=\(recoverySeconds)",
    ] + limits.arguments
  }

  /// Reads what `arguments` wrote.
  ///
  /// - Throws: `.usage`, naming the word that is unknown or has no sense.
  package init(arguments: [String]) throws(TranscodeError) {
    var words = try WorkerArguments(arguments)
    var rungs: [LadderRung] = []
    for index in 0..<(try words.count("rungs", in: 1...Self.maximumRungs)) {
      rungs.append(try words.take("rung\(index)", Self.rung))
    }
    self.init(rungs: rungs)
    encoder = try words.text("encoder")
    preset = try words.text("preset")
    tune = try words.text("tune")
    threads = try words.count("threads", in: 0...64)
    patience = MediaTime(milliseconds: Int64(try words.count("patience", in: 1...600_000)))
    recoverySeconds = try words.count("recovery", in: 0...86_400)
    limits = try words.limits()
    limits.bufferBytes = 1 << 20
    try words.end()
  }

  /// Reads `1280x720:2800000:128000:720p`; the name may have colons.
  private static func rung(_ text: String) -> LadderRung? {
    let parts = text.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let sides = parts[0].split(separator: "x", omittingEmptySubsequences: false)
    guard sides.count == 2, let width = Int(sides[0]), let height = Int(sides[1]),
      (16...16_384).contains(width), (16...16_384).contains(height),
      let video = Int(parts[1]), (10_000...400_000_000).contains(video),
      let audio = Int(parts[2]), (8_000...512_000).contains(audio)
    else { return nil }
    return LadderRung(
      name: String(parts[3]), width: width, height: height, videoBitrate: video,
      audioBitrate: audio)
  }
}

import Media

/// What a recording has: found out by reading it once, before it is written.
struct RecordingScan {
  /// One movie of it.
  struct Movie {
    var video: MovieTrack?
    var audio: MovieTrack?
    var pictures = 0
    var videoBytes = 0
    var audioBytes = 0
    /// In 1/90000 s.
    var duration: Int64 = 0
  }

  private(set) var movies: [Movie] = []
  /// When its keyframes are, in 1/90000 s from the start of the recording.
  private(set) var keyframes: [Int64] = []
  private(set) var gaps: [RemuxResult.Gap] = []
  private(set) var leftOut: [String] = []
  /// In 1/90000 s.
  private(set) var duration: Int64 = 0
  /// Of each movie the first keyframe and packet of sound.
  private var samples: [(video: Frame?, audio: Frame?)] = []

  /// Reads all parts.
  ///
  /// - Parameters:
  ///   - order: which they are.
  ///   - progress: is given how many bytes were read.
  /// - Returns: what is in them.
  /// - Throws: `.input` where there is nothing that can be kept.
  static func scan(
    _ order: RemuxOrder, progress: (Int) -> Void
  ) throws(TranscodeError) -> RecordingScan {
    var scan = RecordingScan()
    var timeline = RecordingTimeline()
    try Recording.read(order, &timeline, progress: progress) { placed in scan.take(placed) }
    scan.finish(timeline)
    guard scan.movies.contains(where: { $0.video != nil || $0.audio != nil }) else {
      throw TranscodeError(
        .input,
        "the recording has no picture and no sound that can be kept"
          + (scan.leftOut.isEmpty ? "" : " (\(scan.leftOut.joined(separator: ", ")))"))
    }
    return scan
  }

  private mutating func take(_ placed: RecordingTimeline.Placed) {
    while movies.count <= placed.movie { movies.append(Movie()) }
    let frame = placed.frame
    switch frame.track {
    case .video:
      movies[placed.movie].pictures += 1
      movies[placed.movie].videoBytes += frame.byteCount
      guard frame.isKeyframe else { return }
      keyframes.append(placed.time)
    case .audio:
      movies[placed.movie].audioBytes += frame.byteCount
    }
    ask(frame, movie: placed.movie)
  }

  /// Keeps a movie's first keyframe and packet of sound, to be asked when their tracks are known.
  private mutating func ask(_ frame: Frame, movie: Int) {
    while samples.count <= movie { samples.append((nil, nil)) }
    switch frame.track {
    case .video where samples[movie].video == nil: samples[movie].video = frame
    case .audio where samples[movie].audio == nil: samples[movie].audio = frame
    case .video, .audio: break
    }
  }

  private mutating func finish(_ timeline: RecordingTimeline) {
    var words = timeline.leftOut.map { ($0.value == 1 ? "" : "\($0.value) × ") + $0.key }
    for (index, tracks) in timeline.movies.enumerated() where index < movies.count {
      movies[index].duration = tracks.end - tracks.start
      duration += movies[index].duration
      var video = tracks.video.map { MovieTrack($0) }
      var audio = tracks.audio.map { MovieTrack($0) }
      if let frame = samples[index].video { video?.probe(frame) }
      if let frame = samples[index].audio, audio?.isKnown == false || audio?.packetSamples == 0 {
        audio?.probe(frame)
      }
      if let track = video, !track.isKnown {
        words.append("pictures in \(track.codec.rawValue), whose size nobody knows")
      }
      if let track = audio, !track.isKnown {
        words.append("sound in \(track.codec.rawValue), whose rate nobody knows")
      }
      movies[index].video = video.flatMap { $0.isKnown ? $0 : nil }
      movies[index].audio = audio.flatMap { $0.isKnown ? $0 : nil }
    }
    samples = []
    gaps = timeline.gaps
    leftOut = words.sorted()
  }
}

import Media

/// Writes the movies of a recording, one after the other, each as a whole and in fragments.
struct MovieSet: ~Copyable {
  private let order: RemuxOrder
  private let scan: RecordingScan
  private let voice: RemuxVoice
  private var current: Int?
  private var whole: MovieWriter?
  private var fragments: MovieWriter?
  private var movies: [RemuxResult.Movie] = []

  init(_ order: RemuxOrder, _ scan: RecordingScan, _ voice: RemuxVoice) {
    self.order = order
    self.scan = scan
    self.voice = voice
  }

  /// Takes the next frame.
  mutating func write(_ placed: RecordingTimeline.Placed) throws(TranscodeError) {
    if placed.movie != current {
      // A frame out of its order would open a finished movie anew.
      guard placed.movie > current ?? -1, placed.movie < scan.movies.count else { return }
      try end()
      try begin(placed.movie)
    }
    try whole?.write(placed)
    try fragments?.write(placed)
  }

  /// Ends the last movie.
  ///
  /// - Returns: all of them.
  mutating func finish() throws(TranscodeError) -> [RemuxResult.Movie] {
    try end()
    return movies
  }

  private mutating func begin(_ index: Int) throws(TranscodeError) {
    current = index
    let movie = scan.movies[index]
    guard movie.video != nil || movie.audio != nil else { return }
    whole = try MovieWriter.begin(
      .whole, video: movie.video, audio: movie.audio,
      to: MovieOutput(descriptor: order.descriptor(ofMovie: index), beat: voice.beat))
    guard order.makesPlayback else { return }
    fragments = try MovieWriter.begin(
      .fragments(Int64(order.segmentSeconds) * 90_000), video: movie.video, audio: movie.audio,
      to: MovieOutput(descriptor: order.descriptor(ofPlayback: index), beat: voice.beat))
  }

  private mutating func end() throws(TranscodeError) {
    guard let index = current, whole != nil else { return }
    let scanned = scan.movies[index]
    let seconds = Double(scanned.duration) / 90_000
    var movie = RemuxResult.Movie(
      file: RemuxFile.movie(index), bytes: 0, durationSeconds: seconds,
      video: scanned.video.map { track in
        RemuxResult.Video(
          codec: track.codec.rawValue, codecString: track.configuration.codecString,
          width: track.width, height: track.height,
          frameRate: seconds > 0 ? Double(scanned.pictures) / seconds : 0,
          frames: scanned.pictures, bitrate: Self.bitrate(scanned.videoBytes, seconds))
      },
      audio: scanned.audio.map { track in
        RemuxResult.Audio(
          codec: track.codec.rawValue, codecString: track.configuration.codecString,
          sampleRate: track.configuration.sampleRate ?? track.sampleRate,
          channels: track.configuration.channels ?? track.channels,
          bitrate: Self.bitrate(scanned.audioBytes, seconds))
      })
    if let bytes = try fragments?.finish(end: scanned.duration) {
      movie.playback = RemuxResult.Playback(
        file: RemuxFile.playback(index), bytes: bytes, headerBytes: fragments?.headerBytes ?? 0,
        segments: fragments?.segments ?? [])
    }
    movie.bytes = try whole?.finish(end: scanned.duration) ?? 0
    whole = nil
    fragments = nil
    movies.append(movie)
  }

  private static func bitrate(_ bytes: Int, _ seconds: Double) -> Int {
    seconds > 0 ? Int((Double(bytes) * 8 / seconds).rounded()) : 0
  }
}

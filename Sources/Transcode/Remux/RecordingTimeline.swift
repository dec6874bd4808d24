package import Media

/// Puts the frames of a recording's parts on one line of time, and says where it has to be cut.
///
/// A recording is one movie as long as its tracks keep their codecs and configurations: a track may
/// come later or pause, but a decoder is never told something new in the middle. Where a publisher
/// was away, the parts are joined without a pause, and the time that is missing is noted.
///
/// A value without a file: the same tags give the same frames, so the recording is read twice,
/// first to see what it has and then to write it.
package struct RecordingTimeline: Sendable {
  /// A frame with its place.
  package struct Placed: Sendable {
    package var frame: Frame
    /// Which movie it is of, from 0.
    package var movie: Int
    /// In 1/90000 s from the start of its movie; `pts` is never before `dts`.
    package var dts: Int64
    package var pts: Int64
    /// In 1/90000 s from the start of the recording.
    package var time: Int64
  }

  /// The tracks of one movie, as far as they have come up.
  package struct Tracks: Equatable, Sendable {
    package var video: TrackConfiguration?
    package var audio: TrackConfiguration?
    /// Where it starts in the recording, and where its last frame ends.
    package var start: Int64
    package var end: Int64
  }

  package private(set) var movies: [Tracks] = []
  package private(set) var gaps: [RemuxResult.Gap] = []
  /// What could not be taken, in words, and how often.
  package private(set) var leftOut: [String: Int] = [:]
  /// Where the last frame ends, from the start of the recording.
  package private(set) var end: Int64 = 0

  private var demuxer = TagDemuxer()
  private var video: TrackConfiguration?
  private var audio: TrackConfiguration?
  /// Added to the demuxer's times; nil until the part's first frame has come.
  private var offset: Int64?
  private var needsKeyframe = true
  private var latest: (video: Int64, audio: Int64) = (-1, -1)
  private var step: (video: Int64, audio: Int64) = (0, 0)
  /// When the current part began, by the clock and on the line.
  private var partStart: (clock: Double?, time: Int64) = (nil, 0)

  /// More would be a publisher that changes its settings all the time; the rest is left out.
  package static let maximumMovies = 8
  package static let maximumGaps = 1_000
  /// A hole between frames from which on it is noted, in 1/90000 s.
  private static let hole: Int64 = 90_000

  package init() {}

  /// Begins the next part.
  ///
  /// - Parameters:
  ///   - startedAt: when its first frame came, in seconds since 1970.
  ///   - continues: whether its times go on from the last part, which had only grown too large.
  package mutating func beginPart(startedAt: Double?, continues: Bool) {
    if continues, !movies.isEmpty { return }
    if let clock = startedAt, let before = partStart.clock {
      let lost = clock - before - Double(end - partStart.time) / 90_000
      // The clock of a publisher and ours are not that equal.
      if lost >= 0.5, !movies.isEmpty { note(.reconnect, seconds: lost) }
    } else if !movies.isEmpty {
      note(.reconnect, seconds: nil)
    }
    demuxer = TagDemuxer()
    offset = nil
    needsKeyframe = true
    partStart = (startedAt, end)
  }

  /// Notes bytes that made no sense.
  package mutating func lose(bytes: Int) {
    leftOut["damaged bytes", default: 0] += bytes
    note(.damage, seconds: nil)
  }

  /// Takes the next tag.
  ///
  /// - Parameters:
  ///   - tag: of the current part.
  ///   - emit: is given its frames.
  package mutating func take(_ tag: FLVTag, _ emit: (Placed) -> Void) {
    var events: [MediaEvent] = []
    do throws(TagError) {
      switch tag.kind {
      case .video: try demuxer.video(tag.body, timestamp: tag.timestamp) { events.append($0) }
      case .audio: try demuxer.audio(tag.body, timestamp: tag.timestamp) { events.append($0) }
      case .script: return
      }
    } catch {
      leftOut[Self.words(error), default: 0] += 1
    }
    for event in events {
      switch event {
      case .configuration(let configuration) where configuration.trackID == 0:
        set(configuration)
      case .frame(let frame):
        if let placed = place(frame) { emit(placed) }
      case .repaired(_, .jumped(let milliseconds)):
        note(.clock, seconds: Double(milliseconds) / 1_000)
      case .repaired(_, .steppedBack):
        note(.clock, seconds: nil)
      case .configuration, .sequenceEnd, .colour, .repaired:
        break
      }
    }
  }

  private mutating func set(_ configuration: TrackConfiguration) {
    switch configuration.track {
    case .video:
      if video != configuration { needsKeyframe = true }
      video = configuration
    case .audio: audio = configuration
    }
  }

  private mutating func place(_ frame: Frame) -> Placed? {
    guard frame.trackID == 0 else { return drop("further tracks") }
    guard frame.byteCount > 0 else { return nil }
    guard let configuration = configuration(of: frame) else {
      return drop("\(frame.codec.rawValue) without its configuration")
    }
    guard MovieCodec.isTaken(frame.codec) else {
      return drop("\(frame.codec.rawValue), which MP4 has no place for")
    }
    if frame.track == .video, needsKeyframe {
      guard frame.isKeyframe else { return drop("pictures before the first keyframe") }
    }
    let offset = offset ?? (end - frame.dts.ticks)
    self.offset = offset
    var time = frame.dts.ticks + offset
    guard let movie = movie(for: configuration, at: &time) else {
      return drop("media after \(Self.maximumMovies) changes of codecs or sizes")
    }
    let start = movies[movie].start
    switch frame.track {
    case .video:
      needsKeyframe = false
      // Sound whose settings have changed may have begun the movie a moment after this picture.
      time = max(time, start)
    case .audio:
      guard time >= start else { return drop("sound before the first frame") }
    }
    if time - end > Self.hole, end > start {
      note(.silence, seconds: Double(time - end) / 90_000)
    }
    time = advance(frame, to: time, movie: movie)
    let dts = time - start
    let composition = max(0, frame.pts.ticks - frame.dts.ticks)
    return Placed(frame: frame, movie: movie, dts: dts, pts: dts + composition, time: time)
  }

  /// Keeps a track's times apart, as MP4 must have them, and moves the end.
  private mutating func advance(_ frame: Frame, to time: Int64, movie: Int) -> Int64 {
    var time = time
    switch frame.track {
    case .video:
      time = max(time, latest.video + 1)
      if latest.video >= 0, time - latest.video < Self.hole { step.video = time - latest.video }
      latest.video = time
      end = max(end, time + step.video)
    case .audio:
      time = max(time, latest.audio + 1)
      if latest.audio >= 0, time - latest.audio < Self.hole { step.audio = time - latest.audio }
      latest.audio = time
      end = max(end, time + step.audio)
    }
    movies[movie].end = max(movies[movie].end, end)
    return time
  }

  /// The movie that a frame of a configuration goes into: the last one, or another one.
  private mutating func movie(
    for configuration: TrackConfiguration, at time: inout Int64
  ) -> Int? {
    if let index = movies.indices.last {
      let last = movies[index]
      switch configuration.track {
      case .video where last.video == nil: movies[index].video = configuration
      case .audio where last.audio == nil: movies[index].audio = configuration
      case .video where last.video == configuration, .audio where last.audio == configuration: break
      case .video, .audio: return begin(with: configuration, at: time)
      }
      return index
    }
    return begin(with: configuration, at: time)
  }

  private mutating func begin(with configuration: TrackConfiguration, at time: Int64) -> Int? {
    guard movies.count < Self.maximumMovies else { return nil }
    // The other track, if it has one, comes with its first frame.
    movies.append(
      Tracks(
        video: configuration.track == .video ? configuration : nil,
        audio: configuration.track == .audio ? configuration : nil, start: time, end: time))
    if configuration.track == .audio, movies.count > 1 { needsKeyframe = true }
    return movies.count - 1
  }

  /// What a frame's decoder is told; some codecs of sound need nothing.
  private func configuration(of frame: Frame) -> TrackConfiguration? {
    let known = frame.track == .video ? video : audio
    if let known, known.codec == frame.codec { return known }
    switch frame.codec {
    case .mp3, .ac3, .eac3: return try? TrackConfiguration(codec: frame.codec, record: [])
    default: return nil
    }
  }

  private mutating func drop(_ words: String) -> Placed? {
    leftOut[words, default: 0] += 1
    return nil
  }

  private mutating func note(_ reason: RemuxResult.Gap.Reason, seconds: Double?) {
    guard gaps.count < Self.maximumGaps else { return }
    gaps.append(
      RemuxResult.Gap(at: Double(end) / 90_000, seconds: seconds, reason: reason))
  }

  private static func words(_ error: TagError) -> String {
    switch error {
    case .unknownCodec: "messages of an unknown codec"
    case .configuration(let codec, _): "configurations of \(codec.rawValue) that can't be read"
    case .truncated, .unknownPacketType: "messages that can't be read"
    }
  }
}

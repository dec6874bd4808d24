package import Media

/// Makes one rung's segments: the pictures and sounds of an encoder, cut where the source's are.
///
/// Frames of both tracks come in order of decoding within their track, in any order between them,
/// on the stream's own time line. They wait here until a part is complete; a segment is then written
/// at once, with the number, the times and the marks of the source's.
///
/// Confined to the stream's owner.
package struct RungPackager {
  /// One track's frames that wait.
  private struct Waiting {
    var configuration: TrackConfiguration?
    var frames: [Frame] = []
    var bytes = 0

    /// Whether a frame at or after a time has come: none before it follows.
    func has(reached time: MediaTime) -> Bool { frames.last.map { $0.pts >= time } ?? false }

    /// Takes the frames that are shown before a time; all of them where there is none.
    mutating func take(before time: MediaTime?) -> [Frame] {
      let end =
        time.flatMap { time in frames.firstIndex { $0.pts >= time } } ?? frames.count
      let taken = Array(frames[..<end])
      frames.removeFirst(end)
      bytes -= taken.reduce(0) { $0 + $1.keptBytes }
      return taken
    }
  }

  private var video = Waiting()
  private var audio = Waiting()
  private var muxer = TransportStreamMuxer()
  private var written: (video: TrackConfiguration?, audio: TrackConfiguration?)?
  private var lastVideoDTS: MediaTime?
  package private(set) var statistics = PackagerStatistics()

  package init() {}

  /// Takes a track's configuration, which the frames from here on have.
  package mutating func configure(_ configuration: TrackConfiguration) {
    switch configuration.track {
    case .video: video.configuration = configuration
    case .audio: audio.configuration = configuration
    }
  }

  /// Takes an encoded frame.
  package mutating func append(_ frame: Frame) {
    switch frame.track {
    case .video:
      video.frames.append(frame)
      video.bytes += frame.keptBytes
    case .audio:
      audio.frames.append(frame)
      audio.bytes += frame.keptBytes
    }
  }

  /// What the frames cost that wait, in bytes.
  package var waitingBytes: Int { video.bytes + audio.bytes }

  /// Whether a part can be written.
  ///
  /// - Parameters:
  ///   - time: when the next part's first picture is shown.
  ///   - hasAudio: whether the source has sound.
  /// - Returns: whether all that is shown before that has come.
  package func isComplete(until time: MediaTime, hasAudio: Bool) -> Bool {
    video.has(reached: time) && (!hasAudio || audio.has(reached: time))
  }

  /// Lets go of what is shown before a time: its segment came from elsewhere.
  package mutating func skip(until time: MediaTime?) {
    _ = video.take(before: time)
    _ = audio.take(before: time)
  }

  /// Writes the segment of a part.
  ///
  /// - Parameters:
  ///   - source: the source's segment, whose place it takes.
  ///   - end: when the next part's first picture is shown; nil where nothing follows.
  /// - Returns: nil where no picture came for it: it has to come from elsewhere.
  package mutating func segment(like source: Segment, until end: MediaTime?) -> Segment? {
    let pictures = video.take(before: end)
    let sounds = audio.take(before: end)
    guard !pictures.isEmpty, let configuration = video.configuration else { return nil }
    return write(
      Part(video: configuration, audio: audio.configuration, frames: pictures + sounds),
      like: source)
  }

  /// Frames that make up a segment.
  package struct Part {
    package var video: TrackConfiguration
    package var audio: TrackConfiguration?
    package var frames: [Frame]

    package init(video: TrackConfiguration, audio: TrackConfiguration?, frames: [Frame]) {
      self.video = video
      self.audio = audio
      self.frames = frames
    }
  }

  /// Writes frames as a segment, also such as are not this rung's own.
  ///
  /// - Parameters:
  ///   - part: of either track, in order of decoding within their track.
  ///   - source: the source's segment, whose place it takes.
  /// - Returns: the segment, with a name of its own.
  package mutating func write(_ part: Part, like source: Segment) -> Segment {
    if written?.video != part.video || written?.audio != part.audio {
      muxer.setTracks(video: part.video, audio: part.audio)
      written = (part.video, part.audio)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.capacity(part.frames))
    muxer.beginSegment(&bytes)
    var pictures = 0
    var isIndependent = true
    for frame in Self.interleaved(part.frames) {
      switch frame.track {
      case .video:
        let dts = Self.decodingTime(frame, after: lastVideoDTS)
        guard muxer.writeVideo(frame, dts: dts, pts: max(frame.pts, dts), to: &bytes) else {
          statistics.droppedFrames += 1
          continue
        }
        lastVideoDTS = dts
        if pictures == 0 { isIndependent = frame.isKeyframe }
        if frame.isKeyframe { statistics.keyframes += 1 }
        pictures += 1
        statistics.videoFrames += 1
      case .audio:
        if muxer.writeAudio(frame, pts: frame.pts, to: &bytes) {
          statistics.audioFrames += 1
        } else {
          statistics.droppedFrames += 1
        }
      }
    }
    muxer.finishSegment(&bytes)
    let segment = source.replaced(bytes, isIndependent: isIndependent)
    statistics.note(segment, pictures: pictures)
    return segment
  }

  /// What the rung's `EXT-X-STREAM-INF` says.
  ///
  /// - Parameters:
  ///   - bitrate: what the encoders aim at, sound included, in bits per second.
  ///   - frameRate: of the source.
  /// - Returns: nil before the encoder has said how it encodes.
  package func variant(bitrate: Int, frameRate: Double?) -> VariantInfo? {
    guard let video = video.configuration else { return nil }
    // Packets and headers of the transport stream weigh about a twentieth; an encoder's peaks more.
    let declared = bitrate + bitrate / 8
    let average = statistics.segments > 0 ? statistics.averageBitrate : bitrate + bitrate / 20
    return VariantInfo(
      bandwidth: max(declared, statistics.peakBitrate), averageBandwidth: average,
      codecs: [video, audio.configuration].compactMap { $0?.codecString }, size: video.size,
      frameRate: frameRate)
  }

  /// In order of decoding, pictures first where both are due.
  private static func interleaved(_ frames: [Frame]) -> [Frame] {
    let pictures = frames.filter { $0.track == .video }
    let sounds = frames.filter { $0.track == .audio }
    var merged: [Frame] = []
    merged.reserveCapacity(frames.count)
    var next = 0
    for picture in pictures {
      while next < sounds.count, sounds[next].dts < picture.dts {
        merged.append(sounds[next])
        next += 1
      }
      merged.append(picture)
    }
    merged += sounds[next...]
    return merged
  }

  /// Decoding times increase, also from one encoder's last picture to the next one's first.
  private static func decodingTime(_ frame: Frame, after last: MediaTime?) -> MediaTime {
    guard let last, frame.dts <= last else { return frame.dts }
    return last + MediaTime(ticks: 1)
  }

  /// Payload, a packet's header for each 184 bytes, and the headers of each frame.
  private static func capacity(_ frames: [Frame]) -> Int {
    frames.reduce(1_024) { $0 + $1.byteCount * 188 / 184 + 188 }
  }
}

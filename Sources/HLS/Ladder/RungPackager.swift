package import Media

/// Makes one rung's segments: the pictures and sounds of an encoder, cut where the source's are.
///
/// Frames of both tracks come in order of decoding within their track, in any order between them,
/// on the stream's own time line. They wait until their part is complete; a segment is then written
/// at once, with the number, the times and the marks of the source's.
package struct RungPackager {
  /// The frames of one segment, and what they are coded with.
  package struct Part {
    package var video: TrackConfiguration?
    package var audio: TrackConfiguration?
    /// Of either track, in order of decoding within their track.
    package var frames: [Frame]

    package init(video: TrackConfiguration?, audio: TrackConfiguration?, frames: [Frame]) {
      self.video = video
      self.audio = audio
      self.frames = frames
    }
  }

  private var video = RungTrack()
  private var audio = RungTrack()
  private var muxer = TransportStreamMuxer()
  private var written: (video: TrackConfiguration?, audio: TrackConfiguration?)?
  private var lastVideoDTS: MediaTime?
  /// Segments that may yet follow another node's (`StreamPackager.takeOver`).
  private var toFollow = StreamPackager.mayFollow
  /// Of segments of the rung's own: those that stand in for it are no measure of it.
  package private(set) var statistics = PackagerStatistics()

  package init() {}

  /// Takes a track's configuration, which the frames from here on have.
  package mutating func configure(_ configuration: TrackConfiguration) {
    switch configuration.track {
    case .video: video.configure(configuration)
    case .audio: audio.configure(configuration)
    }
  }

  /// Takes an encoded frame.
  package mutating func append(_ frame: Frame) {
    switch frame.track {
    case .video: video.append(frame)
    case .audio: audio.append(frame)
    }
  }

  /// What the frames cost that wait, in bytes.
  package var waitingBytes: Int { video.bytes + audio.bytes }

  /// Whether all pictures that are shown before a time have come.
  ///
  /// - Parameters:
  ///   - count: how many there are, should all of them be encoded.
  ///   - time: when the next part's first picture is shown.
  /// - Returns: true also where fewer have come, once a later one has.
  package func hasPictures(_ count: Int, until time: MediaTime) -> Bool {
    video.has(reached: time) || video.has(count, before: time)
  }

  /// Whether all sounds that are heard before a time have come.
  package func hasSounds(until time: MediaTime) -> Bool { audio.has(reached: time) }

  /// Takes a part's frames out of those that wait.
  ///
  /// - Parameter end: when the next part's first picture is shown; nil where nothing follows.
  /// - Returns: nil where no picture came for it: its segment has to come from elsewhere.
  package mutating func takePart(until end: MediaTime?) -> Part? {
    let (video, pictures) = video.take(before: end)
    let (audio, sounds) = audio.take(before: end)
    guard let video, !pictures.isEmpty else { return nil }
    return Part(video: video, audio: audio, frames: pictures + sounds)
  }

  /// The encoder is gone; what it has made of parts that are not taken is made again.
  ///
  /// - Parameter time: when the first picture is shown that is not in a segment yet.
  package mutating func restart(from time: MediaTime?) {
    video.restart(from: time)
    audio.restart(from: time)
  }

  /// Writes a part as a segment.
  ///
  /// - Parameters:
  ///   - part: the rung's own, or one that stands in for it.
  ///   - source: the source's segment, whose place it takes.
  ///   - isOwn: whether the rung is measured by it.
  /// - Returns: the segment, with a name of its own.
  package mutating func write(_ part: Part, like source: Segment, isOwn: Bool = true) -> Segment {
    if written?.video != part.video || written?.audio != part.audio {
      muxer.setTracks(video: part.video, audio: part.audio)
      written = (part.video, part.audio)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.capacity(part.frames))
    let mayFollow = toFollow > 0 && source.discontinuitySequence > 0
    toFollow -= mayFollow ? 1 : 0
    muxer.beginSegment(&bytes, isDiscontinuity: mayFollow || source.isDiscontinuity)
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
        pictures += 1
      case .audio:
        if !muxer.writeAudio(frame, pts: frame.pts, to: &bytes) { statistics.droppedFrames += 1 }
      }
    }
    muxer.finishSegment(&bytes)
    let segment = source.replaced(bytes, isIndependent: isIndependent)
    if isOwn {
      statistics.videoFrames += pictures
      statistics.audioFrames += part.frames.count - pictures
      statistics.note(segment, pictures: pictures)
    }
    return segment
  }

  /// What the rung's `EXT-X-STREAM-INF` says.
  ///
  /// - Parameters:
  ///   - bitrate: what the encoders aim at, sound included, in bits per second.
  ///   - frameRate: of the source.
  /// - Returns: nil before the encoder has said how it encodes.
  package func variant(bitrate: Int, frameRate: Double?) -> VariantInfo? {
    guard let video = video.latest else { return nil }
    // Packets and headers of the transport stream weigh about a twentieth; an encoder's peaks more.
    let declared = bitrate + bitrate / 8
    let average = statistics.segments > 0 ? statistics.averageBitrate : bitrate + bitrate / 20
    return VariantInfo(
      bandwidth: max(declared, statistics.peakBitrate), averageBandwidth: average,
      codecs: [video, audio.latest].compactMap { $0?.codecString }, size: video.size,
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

package import Media

/// Makes one publisher's frames into MPEG-TS segments: the whole way from frame to `Segment`.
///
/// Confined to the stream's owner, synchronous, called for each frame; it allocates only to let the
/// running segment grow. One lives as long as its stream: publishers that leave and return go on in
/// it (`interrupt()`), and one made from a `WindowState` goes on where another process stopped.
///
/// It waits for the sequence headers of both tracks, or for one second of media, then for a
/// keyframe. It never fails: what can't be used is dropped and counted.
package final class StreamPackager {
  package struct Configuration: Sendable, Equatable {
    package var clock = SegmentClock.Configuration()
    /// How much media is waited for the second track's sequence header.
    package var startPatience = MediaTime(milliseconds: 1_000)
    /// How many bytes may wait for the start.
    package var startBytes = 8 << 20

    package init(clock: SegmentClock.Configuration = .init()) { self.clock = clock }
  }

  /// What runs, between two publishers or within one.
  private enum Phase {
    /// Frames are kept until the tracks are known.
    case gathering
    /// The tracks are known; a keyframe is to come.
    case keyframe(since: MediaTime)
    case running
  }

  private let configuration: Configuration
  private var phase = Phase.gathering
  private var clock: SegmentClock
  private var timeline = Timeline()
  private var ends: [(sequence: Int, end: MediaTime)] = []
  private static let rememberedEnds = 32
  /// Where the first segment is to end, by the publisher's clock.
  private var firstEnd: MediaTime?
  /// Whether another node has made the very first segment, so that this one's follows something.
  private var isFirstMadeAgain = false
  /// Segments below this number may follow another node's.
  private var lastToFollow = 0
  /// How many of those that another node may have made as well: an edge with a publisher may not
  /// have heard of the last ones.
  static let mayFollow = 4
  private var muxer = TransportStreamMuxer()
  private var gathered: [Frame] = []
  /// Sound from just before the first keyframe, which belongs to it.
  private var preroll: [Frame] = []
  private var gatheredBytes = 0

  /// The configurations that the publisher gave last, and those that the running segment has.
  private var wanted = Tracks()
  private var active = Tracks()

  private struct Tracks: Equatable {
    var video: TrackConfiguration?
    var audio: TrackConfiguration?
  }

  private var running = RunningSegment()
  private var expectedBytes = 256 << 10
  /// A discontinuity is due at the next place where a segment can begin.
  private var breakIsDue: Bool
  private var state: WindowState
  private var lastVideoDTS: MediaTime?
  /// What dates the next publisher's frames have, where it is the one before.
  private var known: PublisherDate?
  package private(set) var statistics = PackagerStatistics()
  /// Called with each segment that begins and each frame that is written; nil where nobody makes
  /// other rungs of the stream.
  package var onPlacement: ((Placement) -> Void)?

  /// Makes a packager for a new stream, or for one that goes on.
  package init(
    configuration: Configuration = Configuration(), state: WindowState = WindowState()
  ) {
    self.configuration = configuration
    self.state = state
    clock = SegmentClock(
      configuration: configuration.clock, targetDuration: state.targetDuration)
    breakIsDue = state.isResumed
  }

  /// Whether a codec's frames are packaged; others are dropped and counted.
  package static func canPackage(_ configuration: TrackConfiguration) -> Bool {
    TransportStreamMuxer.canWrite(configuration)
  }

  /// Whether there are configurations of a codec that are packaged.
  package static func canPackage(_ codec: Codec) -> Bool { codec == .h264 || codec == .aac }

  /// Goes on with what another node has had, from where viewers have it for certain.
  ///
  /// Those who have had more of that node's segments get the next ones of this one after them: so
  /// the first few tell decoders that their counters begin anew, as well as the very first.
  ///
  /// - Parameter end: where the other node ended the first segment, by the publisher's clock, where
  ///   it is known to have made it; it ends there again.
  package func takeOver(firstEnd end: MediaTime?) {
    guard case .gathering = phase else { return }
    firstEnd = end
    lastToFollow = state.nextSequence + Self.mayFollow
    // Edges that have another node's very first segment count the discontinuity behind that.
    isFirstMadeAgain = !state.isResumed && end != nil
    if isFirstMadeAgain { breakIsDue = true }
  }

  /// Takes a sequence header: the track's frames from here on are coded so.
  ///
  /// A change becomes a discontinuity at the next keyframe; the same one again is nothing.
  package func configure(_ track: TrackConfiguration) {
    guard track.trackID == 0, Self.canPackage(track) else { return }
    switch track.track {
    case .video: wanted.video = track
    case .audio: wanted.audio = track
    }
  }

  /// Says that time was broken in a way that timestamps don't show: the publisher's clock
  /// restarted.
  package func noteBreak() {
    if case .running = phase { breakIsDue = true }
  }

  /// Says that the publisher whose frames follow is the one before, by way of another connection.
  ///
  /// Its first frames may come late, as they are sent once more: their dates are by its own clock.
  ///
  /// - Parameter date: of any time of it; the end of this packager's last segment where that is
  ///   nil, which may have been another publisher's.
  package func goOn(from date: PublisherDate?) {
    known = date ?? publisherDate
  }

  /// Which date the end of the last segment had, by its publisher's clock; nil before the first
  /// one.
  package var publisherDate: PublisherDate? {
    guard let end = ends.last?.end, state.endDate > 0 else { return nil }
    return PublisherDate(time: end, date: state.endDate)
  }

  /// Takes a frame.
  ///
  /// - Parameters:
  ///   - frame: in order of decoding within its track.
  ///   - date: when it arrived, in milliseconds since 1970.
  /// - Returns: the segments that it finished, in order: none, or one; more only at a start.
  package func append(_ frame: Frame, date: Int64) -> [Segment] {
    guard frame.trackID == 0, isKnown(frame) else {
      statistics.droppedFrames += 1
      return []
    }
    guard case .gathering = phase else { return take(frame, date) }
    gathered.append(frame)
    gatheredBytes += frame.keptBytes
    let span = frame.dts - (gathered.first?.dts ?? frame.dts)
    let isComplete = wanted.video != nil && wanted.audio != nil
    guard
      isComplete || span >= configuration.startPatience || gatheredBytes > configuration.startBytes
    else { return [] }
    let frames = gathered
    gathered.removeAll(keepingCapacity: false)
    gatheredBytes = 0
    phase = .keyframe(since: frames.first?.dts ?? frame.dts)
    return frames.flatMap { take($0, date) }
  }

  /// Ends the publisher's part: the running segment is finished where its last frame ends.
  ///
  /// The next publisher's frames follow it, after a discontinuity.
  package func interrupt() -> Segment? {
    defer {
      gathered.removeAll(keepingCapacity: false)
      gatheredBytes = 0
      preroll.removeAll(keepingCapacity: false)
      phase = .gathering
      wanted = Tracks()
      breakIsDue = state.isResumed
      known = nil
    }
    statistics.droppedFrames += gathered.count + preroll.count
    guard case .running = phase, let end = timeline.end, end > running.start else {
      return nil
    }
    clock.finish(at: end)
    return finish(at: min(end, running.start + clock.limit), isCutShort: true)
  }

  /// How large the running segment is; it grows until time goes on, however long that takes.
  package var runningBytes: Int { running.bytes.count }

  /// What the stream's `EXT-X-STREAM-INF` says; nil before the first segment.
  package var variant: VariantInfo? {
    guard statistics.segments > 0 else { return nil }
    let video = statistics.videoFrames > 0 ? active.video : nil
    let audio = statistics.audioFrames > 0 ? active.audio : nil
    return VariantInfo(
      bandwidth: statistics.peakBitrate, averageBandwidth: statistics.averageBitrate,
      codecs: [video, audio].compactMap { $0?.codecString }, size: video?.size,
      frameRate: video.flatMap { statistics.frameRate(declared: $0.frameRate) })
  }

  /// Whether a frame's track is configured with its codec.
  private func isKnown(_ frame: Frame) -> Bool {
    switch frame.track {
    case .video: wanted.video?.codec == frame.codec
    case .audio: wanted.audio?.codec == frame.codec
    }
  }

  private var audioFrameDuration: MediaTime? {
    guard case .aac(let aac) = wanted.audio?.details else { return nil }
    return MediaTime(ticks: Int64(aac.samplesPerFrame) * 90_000 / Int64(aac.sampleRate))
  }

  private func canStart(with frame: Frame, since: MediaTime) -> Bool {
    if frame.track == .video, frame.isKeyframe { return true }
    if wanted.video == nil { return true }
    // No keyframe for long: go on with the pictures that come, or else with the sound alone.
    let patience = configuration.clock.fragment.ticks * configuration.clock.patience
    return (frame.dts - since).ticks > (frame.track == .video ? patience : patience * 2)
  }

  /// Takes a frame whose track is known, when the start is over.
  private func take(_ frame: Frame, _ date: Int64) -> [Segment] {
    if case .keyframe(let since) = phase {
      guard canStart(with: frame, since: since) else {
        hold(frame)
        return []
      }
      phase = .running
      active = Tracks()
      let sound = preroll.filter { $0.dts >= frame.dts - Self.prerollTime }
      statistics.droppedFrames += preroll.count - sound.count
      preroll.removeAll(keepingCapacity: false)
      timeline.rebase(min(frame.dts, sound.first?.dts ?? frame.dts), to: state.endTime)
      begin(
        with: frame, at: state.endTime + max(.zero, frame.dts - (sound.first?.dts ?? frame.dts)),
        date)
      if let firstEnd { clock.agree(at: timeline.place(ofPublisher: firstEnd)) }
      firstEnd = nil
      return (sound + [frame]).flatMap { place($0, date) }
    }
    return place(frame, date)
  }

  /// Keeps sound that comes before the first keyframe for a moment; drops everything else.
  private func hold(_ frame: Frame) {
    if frame.track == .audio {
      preroll.append(frame)
      let late = preroll.prefix { $0.dts < frame.dts - Self.prerollTime }.count
      let old = max(late, preroll.count - Self.prerollFrames)
      preroll.removeFirst(old)
      statistics.droppedFrames += old
    } else {
      statistics.droppedFrames += 1
    }
  }

  private static let prerollTime = MediaTime(milliseconds: 250)
  /// As many frames as the time holds at the highest sampling rate, for a clock that stands still.
  private static let prerollFrames = 24

  /// Puts a frame in its place, and cuts before it where that is due.
  private func place(_ frame: Frame, _ date: Int64) -> [Segment] {
    let place = timeline.place(
      frame, nominal: frame.track == .audio ? audioFrameDuration : nil,
      limit: clock.start + clock.limit)
    if place.isBreak {
      breakIsDue = true
      statistics.repairs += 1
    }
    let finished = cutIfDue(frame, at: place.dts, date)
    write(frame, place)
    return finished.map { [$0] } ?? []
  }

  /// Begins a new segment with the frame if it is time, or if something changed that only a new
  /// segment can show.
  private func cutIfDue(_ frame: Frame, at time: MediaTime, _ date: Int64) -> Segment? {
    let isStart = frame.track == .video ? frame.isKeyframe : active.video == nil
    let isChange =
      frame.track == .video ? wanted != active : wanted.audio != active.audio
    if isStart, breakIsDue || isChange, time > running.start {
      breakIsDue = true
      clock.cutNow(at: time, hasVideo: active.video != nil || frame.track == .video)
    } else {
      let decision = clock.decide(
        at: time, track: frame.track, isKeyframe: frame.isKeyframe,
        duration: timeline.duration(of: frame.track))
      guard decision != .stay else { return nil }
      if decision == .force { statistics.forcedCuts += 1 }
    }
    // A frame that comes late may lie past what the target duration allows: the segment ends where
    // it must, and the next one begins there, before its first frame.
    let end = min(time, running.start + clock.limit)
    let segment = finish(at: end)
    begin(with: frame, at: end, date)
    return segment
  }

  /// Begins a segment with a frame, with the tracks that can begin at it.
  private func begin(with frame: Frame, at time: MediaTime, _ date: Int64) {
    var tracks = active
    tracks.audio = wanted.audio
    if frame.track == .video, frame.isKeyframe || active.video == nil {
      tracks.video = wanted.video
    }
    if tracks != active {
      if active != Tracks() { breakIsDue = true }
      active = tracks
      muxer.setTracks(video: tracks.video, audio: tracks.audio)
    }
    if running.anchorDate == 0 || breakIsDue {
      // Of what was sent once more the first segment alone is late; a true gap is one in its time,
      // too.
      running.anchorDate = max(known?.date(of: frame.dts) ?? date, state.endDate)
      running.anchorTime = time
      known = nil
    }
    running.begin(
      at: time, isDiscontinuity: breakIsDue && (state.isResumed || isFirstMadeAgain))
    isFirstMadeAgain = false
    running.bytes.reserveCapacity(expectedBytes)
    breakIsDue = false
    clock.begin(at: time, hasVideo: active.video != nil)
    let mayFollow = running.isDiscontinuity || state.nextSequence < lastToFollow
    muxer.beginSegment(&running.bytes, isDiscontinuity: mayFollow)
    onPlacement?(
      .began(
        SegmentStart(
          sequence: state.nextSequence, isDiscontinuity: running.isDiscontinuity,
          video: active.video, audio: active.audio)))
  }

  private func write(_ frame: Frame, _ place: Timeline.Place) {
    var isWritten = false
    switch frame.track {
    case .video where active.video == wanted.video:
      let dts = timeline.decodingTime(of: place, after: lastVideoDTS)
      let pts = max(place.pts, dts)
      isWritten = muxer.writeVideo(frame, dts: dts, pts: pts, to: &running.bytes)
      guard isWritten else { break }
      placed(frame, dts: dts, pts: pts)
      lastVideoDTS = dts
      statistics.videoFrames += 1
      if running.pictures == 0 { running.isIndependent = frame.isKeyframe }
      running.pictures += 1
      if frame.isKeyframe {
        statistics.keyframes += 1
        if let last = running.lastKeyframe { statistics.keyframeInterval = place.dts - last }
        running.lastKeyframe = place.dts
      }
    case .audio where active.audio == wanted.audio:
      isWritten = muxer.writeAudio(frame, pts: place.pts, to: &running.bytes)
      guard isWritten else { break }
      placed(frame, dts: place.pts, pts: place.pts)
      statistics.audioFrames += 1
    case .video, .audio: break
    }
    if !isWritten { statistics.droppedFrames += 1 }
  }

  private func placed(_ frame: Frame, dts: MediaTime, pts: MediaTime) {
    guard let onPlacement else { return }
    var frame = frame
    frame.dts = dts
    frame.pts = pts
    onPlacement(.frame(frame))
  }

  /// Ends the running segment where the next one begins.
  private func finish(at end: MediaTime, isCutShort: Bool = false) -> Segment {
    muxer.finishSegment(&running.bytes)
    let count = running.bytes.count
    let segment = Segment(
      name: Segment.name(sequence: state.nextSequence), sequence: state.nextSequence,
      discontinuitySequence: state.discontinuitySequence + (running.isDiscontinuity ? 1 : 0),
      bytes: running.takeBytes(), duration: end - running.start, startTime: running.start,
      programDate: running.date, isDiscontinuity: running.isDiscontinuity,
      isIndependent: running.isIndependent,
      targetDuration: clock.targetDuration ?? 1)
    expectedBytes = max(count + count / 8, 64 << 10)
    statistics.note(segment, pictures: running.pictures, isCutShort: isCutShort)
    state = segment.stateAfter
    ends.append((segment.sequence, timeline.publisherTime(at: end)))
    if ends.count > Self.rememberedEnds { ends.removeFirst() }
    return segment
  }

  /// Where one of the last segments ends by its publisher's clock: another node that is to go on
  /// there is sent what comes from then on.
  ///
  /// - Parameter sequence: its number.
  /// - Returns: nil where that is no longer known.
  package func publisherEnd(of sequence: Int) -> MediaTime? {
    ends.last { $0.sequence == sequence }?.end
  }
}

import Media

/// A test picture and its tone, encoded: an endless stream, as fast as it is asked for.
package struct TestSource: ~Copyable {
  private let tone: TestTone
  private let rate: FrameRate
  private var picture: TestPicture
  private var video: VideoEncoder
  private var audio: AudioEncoder
  private var frameIndex: Int64 = 0
  private var sampleIndex: Int64 = 0
  private var isStarted = false
  private var interleaver = Interleaver(tracks: [.video, .audio])

  /// Opens the encoders and draws the card.
  ///
  /// - Parameters:
  ///   - videoSettings: size, rate and bitrate.
  ///   - audioSettings: sample rate and bitrate.
  ///   - timeline: what the clock shows.
  ///   - title: the stream's name on the picture.
  /// - Throws: `.codecMissing`, or `.libav` for settings that an encoder refuses.
  package init(
    video videoSettings: VideoSettings, audio audioSettings: AudioSettings,
    timeline: TestTimeline, title: String
  ) throws(TranscodeError) {
    let video = try VideoEncoder(videoSettings)
    let audio = try AudioEncoder(audioSettings)
    rate = videoSettings.rate
    self.video = video
    self.audio = audio
    tone = TestTone(timeline: timeline, sampleRate: audioSettings.sampleRate)
    let megabits = (Double(videoSettings.bitrate) / 100_000).rounded() / 10
    picture = TestPicture(
      width: videoSettings.width, height: videoSettings.height, timeline: timeline, title: title,
      details: "\(videoSettings.width)\u{D7}\(videoSettings.height) \u{B7} \(rate) FPS \u{B7} "
        + "H.264 \(megabits) MBIT/S \u{B7} AAC \(audioSettings.bitrate / 1000) KBIT/S")
  }

  /// Makes what follows: one picture and the sound up to its end, when both are ready.
  ///
  /// - Parameter events: appended, in the order of their times.
  /// - Throws: `.libav` if an encoder fails.
  package mutating func next(into events: inout [SourceEvent]) throws(TranscodeError) {
    if !isStarted {
      isStarted = true
      events.append(.videoConfiguration(video.configuration))
      events.append(.audioConfiguration(audio.configuration))
    }
    var frames: [Frame] = []
    picture.draw(frame: frameIndex)
    let time = rate.time(ofFrame: frameIndex, scale: MediaTime.ticksPerSecond)
    try video.encode(picture.picture, at: MediaTime(ticks: time), into: &frames)
    frameIndex += 1
    let end = rate.time(ofFrame: frameIndex, scale: Int64(audio.settings.sampleRate))
    let samples = tone.samples(from: sampleIndex, count: Int(end - sampleIndex))
    sampleIndex = end
    try audio.encode(left: samples.span, right: samples.span, into: &frames)
    // The sound's encoder holds two frames back, so that pictures have to wait for it.
    for frame in frames { interleaver.push(frame) }
    frames.removeAll(keepingCapacity: true)
    interleaver.pop(into: &frames)
    for frame in frames { events.append(.frame(frame)) }
  }
}

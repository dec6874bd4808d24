import CFFmpeg
package import Media

/// Encodes sound of one channel or two as AAC-LC; any number of samples at a time.
package struct AudioEncoder: ~Copyable {
  package let settings: AudioSettings
  /// The AudioSpecificConfig.
  package let configuration: [UInt8]
  /// Samples in one AAC frame: 1024.
  package let frameSize: Int
  private var context: CodecContext
  private var packet: MediaPacket
  private var sound: MediaFrame
  private var left: [Float] = []
  private var right: [Float] = []
  /// From which sample on which time is that of sample 0, in the encoder's own count.
  ///
  /// More than one while the encoder holds samples from before a gap.
  private var origins: [(sample: Int64, time: MediaTime)] = []
  private var encoded: Int64 = 0

  /// Opens libavcodec's own AAC encoder.
  package init(_ settings: AudioSettings) throws(TranscodeError) {
    guard let codec = unsafe avcodec_find_encoder(AV_CODEC_ID_AAC) else {
      throw TranscodeError(
        .codecMissing, "libavcodec has no AAC encoder (Debian, Ubuntu: libavcodec-extra)")
    }
    let rate = CInt(clamping: settings.sampleRate)
    let context = try unsafe CodecContext.open(codec, name: "the AAC encoder") { context in
      unsafe context.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
      unsafe context.pointee.sample_rate = rate
      unsafe context.pointee.bit_rate = Int64(settings.bitrate)
      unsafe context.pointee.time_base = AVRational(num: 1, den: rate)
      unsafe context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
      unsafe av_channel_layout_default(
        &context.pointee.ch_layout, CInt(clamping: settings.channels))
    }
    let frameSize = context.frameSize > 0 ? context.frameSize : 1024
    let packet = try MediaPacket()
    let sound = try MediaFrame.sound(
      samples: frameSize, sampleRate: settings.sampleRate, channels: settings.channels)
    configuration = context.extradata
    self.settings = settings
    self.frameSize = frameSize
    self.packet = packet
    self.sound = sound
    self.context = context
  }

  /// When the next sample given is played, if nothing is missing in between.
  package var nextTime: MediaTime? {
    origins.last.map { $0.time + time(ofSample: encoded + Int64(left.count)) }
  }

  /// Sets the time of the next sample: at the start, or after a gap in the sound.
  ///
  /// Up to one AAC frame of samples that were given before is let go.
  package mutating func begin(at time: MediaTime) {
    left.removeAll(keepingCapacity: true)
    right.removeAll(keepingCapacity: true)
    origins.append((encoded, time - self.time(ofSample: encoded)))
  }

  /// What a sound's own time means for the encoder's count of samples.
  enum Alignment: Equatable {
    /// It comes when it should, or silence has been put in between.
    case goesOn
    /// Its time has been encoded already: it should not be given.
    case isPast
  }

  /// Compares when the next sound is to be played with when it would be.
  ///
  /// - Parameters:
  ///   - time: of the sound that would be given next.
  ///   - longest: a gap that is filled with silence; a longer one is left open.
  ///   - follows: whether the encoder's times drift after the sound's, as clocks do; else small
  ///     differences stay.
  ///   - output: the silence, encoded.
  /// - Returns: whether the sound should be given.
  /// - Throws: `.libav` if the encoder fails.
  mutating func align(
    to time: MediaTime, filling longest: MediaTime, follows: Bool, into output: inout [Frame]
  ) throws(TranscodeError) -> Alignment {
    guard let expected = nextTime else {
      begin(at: time)
      return .goesOn
    }
    let gap = time - expected
    if gap > longest {
      begin(at: time)
    } else if gap > Self.tolerance {
      let count = Int(gap.seconds * Double(settings.sampleRate))
      let silence = [Float](repeating: 0, count: count)
      try encode(left: silence.span, right: silence.span, into: &output)
    } else if gap < MediaTime.zero - Self.tolerance {
      return .isPast
    } else if follows, let last = origins.indices.last {
      // Times in whole milliseconds jitter; a thirty-second of the difference is no step.
      origins[last].time += MediaTime(ticks: gap.ticks / 32)
    }
    return .goesOn
  }

  /// What clocks and containers are off by, now and then.
  private static let tolerance = MediaTime(milliseconds: 100)

  /// Encodes samples of both channels, −1...1; as many as both have.
  ///
  /// With one channel the right one is passed over.
  package mutating func encode(
    left more: borrowing Span<Float>, right moreRight: borrowing Span<Float>,
    into output: inout [Frame]
  ) throws(TranscodeError) {
    if origins.isEmpty { begin(at: .zero) }
    for index in 0..<min(more.count, moreRight.count) {
      left.append(more[index])
      right.append(moreRight[index])
    }
    var taken = 0
    while left.count - taken >= frameSize {
      try sound.makeWritable()
      let part = taken..<taken + frameSize
      let (nextLeft, nextRight) = (Array(left[part]), Array(right[part]))
      sound.setChannel(0, nextLeft.span)
      if settings.channels > 1 { sound.setChannel(1, nextRight.span) }
      sound.pts = encoded
      try context.encode(sound)
      encoded += Int64(frameSize)
      taken += frameSize
      try drain(into: &output)
    }
    left.removeFirst(taken)
    right.removeFirst(taken)
  }

  /// Appends what the encoder still holds; nothing can be encoded after it.
  package mutating func finish(into output: inout [Frame]) throws(TranscodeError) {
    let missing = left.isEmpty ? 0 : frameSize - left.count
    let silence = [Float](repeating: 0, count: missing)
    try encode(left: silence.span, right: silence.span, into: &output)
    try context.finishEncoding()
    try drain(into: &output)
  }

  private mutating func drain(into output: inout [Frame]) throws(TranscodeError) {
    while try context.receive(&packet) == .ready {
      // The encoder's run-in lies before the first sample: it is not sent, as in any live stream
      // that is joined in the middle, and so the sound needs no shift.
      guard let pts = packet.pts, pts >= 0 else { continue }
      if let current = origins.lastIndex(where: { $0.sample <= pts }) {
        origins.removeFirst(current)
      }
      guard let origin = origins.first?.time else { continue }
      let time = origin + time(ofSample: pts)
      output.append(
        Frame(
          track: .audio, codec: .aac, dts: time, pts: time, isKeyframe: true,
          payload: packet.bytes))
    }
  }

  private func time(ofSample sample: Int64) -> MediaTime {
    let rate = Int64(settings.sampleRate)
    return MediaTime(ticks: (sample * MediaTime.ticksPerSecond * 2 + rate) / (2 * rate))
  }
}

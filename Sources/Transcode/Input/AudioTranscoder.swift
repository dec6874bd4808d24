import CFFmpeg
import Media

/// Decodes the sound of a file, brings it to stereo at one rate, and encodes it.
struct AudioTranscoder: ~Copyable {
  private var decoder: CodecContext
  private var packet: MediaPacket
  private var decoded: MediaFrame
  private var resampler = SoundResampler()
  private var encoder: AudioEncoder
  private var isAnnounced = false

  /// Takes over a decoder.
  init(decoder: consuming CodecContext, settings: AudioSettings) throws(TranscodeError) {
    let packet = try MediaPacket()
    let decoded = try MediaFrame()
    let encoder = try AudioEncoder(settings)
    self.decoder = decoder
    self.packet = packet
    self.decoded = decoded
    self.encoder = encoder
  }

  /// Takes compressed sound; what has been encoded by then is appended.
  mutating func transcode(
    _ input: InputPacket, shift: Int64, into events: inout [SourceEvent]
  ) throws(TranscodeError) {
    try packet.fill(input.bytes.span, pts: input.pts + shift, dts: input.dts + shift)
    if try decoder.decode(packet) { try drain(into: &events) }
  }

  /// Takes what the decoder still holds, and makes it ready for the file's start.
  mutating func restart(into events: inout [SourceEvent]) throws(TranscodeError) {
    try decoder.finishDecoding()
    try drain(into: &events)
    unsafe avcodec_flush_buffers(decoder.pointer)
  }

  /// Appends all that is left.
  mutating func finish(into events: inout [SourceEvent]) throws(TranscodeError) {
    try restart(into: &events)
    var frames: [Frame] = []
    try encoder.finish(into: &frames)
    append(frames, to: &events)
  }

  private mutating func drain(into events: inout [SourceEvent]) throws(TranscodeError) {
    while try decoder.receive(&decoded) == .ready {
      if decoded.sampleCount == 0 { continue }
      if let time = decoded.bestTime { try align(to: MediaTime(ticks: time), into: &events) }
      let sound = try resampler.convert(decoded, sampleRate: encoder.settings.sampleRate)
      let (left, right) = (sound.channel(0), sound.channel(1))
      var frames: [Frame] = []
      try encoder.encode(left: left.span, right: right.span, into: &frames)
      append(frames, to: &events)
    }
  }

  /// Fills a gap in the sound with silence; one of more than ten seconds is left open.
  private mutating func align(
    to time: MediaTime, into events: inout [SourceEvent]
  ) throws(TranscodeError) {
    guard let expected = encoder.nextTime else { return encoder.begin(at: time) }
    let gap = (time - expected).seconds
    if gap > 10 {
      encoder.begin(at: time)
    } else if gap > 0.1 {
      let count = Int(gap * Double(encoder.settings.sampleRate))
      let silence = [Float](repeating: 0, count: count)
      var frames: [Frame] = []
      try encoder.encode(left: silence.span, right: silence.span, into: &frames)
      append(frames, to: &events)
    }
  }

  private mutating func append(_ frames: [Frame], to events: inout [SourceEvent]) {
    if !isAnnounced, !frames.isEmpty {
      isAnnounced = true
      events.append(.audioConfiguration(encoder.configuration))
    }
    for frame in frames { events.append(.frame(frame)) }
  }
}

/// Owns an `SwrContext` that is set up anew when the source's format changes.
@safe struct SoundResampler: ~Copyable {
  private var context: OpaquePointer? = unsafe swr_alloc()

  deinit {
    var context = unsafe context
    unsafe swr_free(&context)
  }

  /// Converts sound to planar float stereo at a rate.
  mutating func convert(
    _ source: borrowing MediaFrame, sampleRate: Int
  ) throws(TranscodeError) -> MediaFrame {
    let target = try MediaFrame()
    unsafe target.pointer.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
    unsafe target.pointer.pointee.sample_rate = CInt(clamping: sampleRate)
    try unsafe wl_stereo(&target.pointer.pointee.ch_layout).orThrow("naming a channel layout")
    var result = unsafe swr_convert_frame(context, target.pointer, source.pointer)
    if result < 0 {
      unsafe swr_close(context)
      result = unsafe swr_convert_frame(context, target.pointer, source.pointer)
    }
    try result.orThrow("resampling sound", .input)
    return target
  }
}

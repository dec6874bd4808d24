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
    decoder.flush()
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
      var frames: [Frame] = []
      if let time = decoded.bestTime {
        // A file's gap of more than ten seconds is left open.
        let alignment = try encoder.align(
          to: MediaTime(ticks: time), filling: MediaTime(milliseconds: 10_000), follows: false,
          into: &frames)
        if alignment == .isPast { continue }
      }
      let sound = try resampler.convert(
        decoded, sampleRate: encoder.settings.sampleRate, channels: encoder.settings.channels)
      let (left, right) = (sound.channel(0), sound.channel(1))
      try encoder.encode(left: left.span, right: right.span, into: &frames)
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

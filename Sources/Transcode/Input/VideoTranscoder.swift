import CFFmpeg
import Media

/// Decodes the pictures of a file, brings them to one size and format, and encodes them.
struct VideoTranscoder: ~Copyable {
  private var decoder: CodecContext
  private var packet: MediaPacket
  private var decoded: MediaFrame
  private var scaler = PictureScaler()
  private var encoder: VideoEncoder?
  private var settings: VideoSettings
  private let keepsSourceSize: Bool

  /// Takes over a decoder.
  ///
  /// - Parameters:
  ///   - decoder: of the file's track.
  ///   - settings: of the encoder.
  ///   - keepsSourceSize: whether the size of the first picture is taken, not that of `settings`.
  /// - Throws: `.libav` when memory is short.
  init(
    decoder: consuming CodecContext, settings: VideoSettings, keepsSourceSize: Bool
  ) throws(TranscodeError) {
    let packet = try MediaPacket()
    let decoded = try MediaFrame()
    self.decoder = decoder
    self.packet = packet
    self.decoded = decoded
    self.settings = settings
    self.keepsSourceSize = keepsSourceSize
  }

  /// Takes a compressed picture; what has been encoded by then is appended.
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
    try encoder?.finish(into: &frames)
    for frame in frames { events.append(.frame(frame)) }
  }

  private mutating func drain(into events: inout [SourceEvent]) throws(TranscodeError) {
    while try decoder.receive(&decoded) == .ready {
      guard let time = decoded.bestTime, decoded.width > 0, decoded.height > 0 else { continue }
      if encoder == nil { try openEncoder(into: &events) }
      var picture = try scaler.scale(decoded, width: settings.width, height: settings.height)
      picture.pts = time
      var frames: [Frame] = []
      try encoder?.encode(&picture, into: &frames)
      for frame in frames { events.append(.frame(frame)) }
    }
  }

  private mutating func openEncoder(into events: inout [SourceEvent]) throws(TranscodeError) {
    if keepsSourceSize {
      settings.width = max(2, decoded.width & ~1)
      settings.height = max(2, decoded.height & ~1)
    }
    let opened = try VideoEncoder(settings)
    events.append(.videoConfiguration(opened.configuration))
    encoder = consume opened
  }
}

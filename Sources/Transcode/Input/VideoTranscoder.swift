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
    unsafe avcodec_flush_buffers(decoder.pointer)
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

/// Owns an `SwsContext` that is made anew when the source's size or format changes.
@safe struct PictureScaler: ~Copyable {
  private var context: OpaquePointer?

  deinit { unsafe sws_freeContext(context) }

  /// Converts a picture to YUV 4:2:0, BT.709, of a size.
  mutating func scale(
    _ source: borrowing MediaFrame, width: Int, height: Int
  ) throws(TranscodeError) -> MediaFrame {
    unsafe context = sws_getCachedContext(
      context, CInt(source.width), CInt(source.height), AVPixelFormat(source.format),
      CInt(width), CInt(height), AV_PIX_FMT_YUV420P, wl_scale_bicubic(), nil, nil, nil)
    guard let context = unsafe context else {
      throw TranscodeError(.input, "pictures of \(source.width)x\(source.height) cannot be scaled")
    }
    // Unspecified colours are those of the picture's time: BT.601 for small ones.
    let space = unsafe source.pointer.pointee.colorspace.rawValue
    let guess = UInt32(source.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601)
    let from = space == AVCOL_SPC_UNSPECIFIED.rawValue ? guess : space
    let range = unsafe source.pointer.pointee.color_range == AVCOL_RANGE_JPEG ? CInt(1) : 0
    _ = unsafe sws_setColorspaceDetails(
      context, sws_getCoefficients(CInt(from)), range, sws_getCoefficients(SWS_CS_ITU709), 0, 0,
      1 << 16, 1 << 16)
    let target = try MediaFrame.picture(width: width, height: height)
    try unsafe wl_scale(context, source.pointer, target.pointer).orThrow("scaling a picture")
    return target
  }
}

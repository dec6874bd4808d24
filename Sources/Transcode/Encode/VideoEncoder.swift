import CFFmpeg
package import Media

/// Encodes pictures, one frame for each; without reordering and without delay unless it is told.
package struct VideoEncoder: ~Copyable {
  package let settings: VideoSettings
  /// The encoder that libavcodec had.
  package let name: String
  package let codec: Codec
  /// The decoder configuration record.
  package let configuration: [UInt8]
  private let bitstream: EncodedBitstream
  private var context: CodecContext
  private var packet: MediaPacket
  private var picture: MediaFrame
  private var lastTime: Int64 = .min
  private var sinceKeyframe = 0

  /// Opens the encoder.
  ///
  /// - Throws: `.codecMissing`, naming what to install; `.libav` for settings that it refuses.
  package init(_ settings: VideoSettings) throws(TranscodeError) {
    let codec = try unsafe Self.found(settings.encoder)
    let name = unsafe String(cString: codec.pointee.name)
    guard let bitstream = unsafe EncodedBitstream(codec.pointee.id) else {
      throw TranscodeError(.codecMissing, "\(name) encodes no codec that can be packaged")
    }
    let context = try unsafe CodecContext.open(
      codec, name: name, options: EncoderOptions.of(settings, encoder: name)
    ) { context in
      unsafe Self.configure(context, settings)
    }
    let packet = try MediaPacket()
    let picture = try MediaFrame.picture(width: settings.width, height: settings.height)
    configuration = try bitstream.configuration(parameterSets: context.extradata)
    self.settings = settings
    self.name = name
    self.codec = bitstream.codec
    self.bitstream = bitstream
    self.packet = packet
    self.picture = picture
    self.context = context
  }

  /// Opens the encoder for software and closes it; one for hardware gets its options only.
  ///
  /// - Throws: what `init` would.
  static func check(_ settings: VideoSettings) throws(TranscodeError) {
    let codec = try unsafe found(settings.encoder)
    let name = unsafe String(cString: codec.pointee.name)
    guard unsafe codec.pointee.capabilities & AV_CODEC_CAP_HARDWARE != 0 else {
      _ = try VideoEncoder(settings)
      return
    }
    _ = try unsafe CodecContext.prepare(
      codec, name: name, options: EncoderOptions.of(settings, encoder: name)
    ) { context in
      unsafe configure(context, settings)
    }
  }

  private static func found(
    _ name: String
  ) throws(TranscodeError) -> UnsafePointer<AVCodec> {
    if let codec = unsafe find(name) { return unsafe codec }
    throw TranscodeError(
      .codecMissing,
      name == "libx264"
        ? "libavcodec has no H.264 encoder: install one with libx264"
          + " (Debian, Ubuntu: libavcodec-extra; Fedora: ffmpeg of RPM Fusion)"
        : "libavcodec has no encoder \(name)")
  }

  static func find(_ name: String) -> UnsafePointer<AVCodec>? {
    if let named = unsafe avcodec_find_encoder_by_name(name),
      unsafe named.pointee.type == AVMEDIA_TYPE_VIDEO
    {
      return unsafe named
    }
    return name == "libx264" ? unsafe avcodec_find_encoder(AV_CODEC_ID_H264) : nil
  }

  private static func configure(
    _ context: UnsafeMutablePointer<AVCodecContext>, _ settings: VideoSettings
  ) {
    unsafe context.pointee.width = CInt(clamping: settings.width)
    unsafe context.pointee.height = CInt(clamping: settings.height)
    unsafe context.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
    unsafe context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
    unsafe context.pointee.time_base = AVRational(num: 1, den: 90_000)
    unsafe context.pointee.framerate = AVRational(
      num: CInt(clamping: settings.rate.numerator),
      den: CInt(clamping: settings.rate.denominator))
    unsafe context.pointee.bit_rate = Int64(settings.bitrate)
    unsafe context.pointee.rc_max_rate = Int64(settings.maximumBitrate)
    unsafe context.pointee.rc_buffer_size = CInt(clamping: settings.bufferBits)
    // Half an hour at 60 pictures a second stands for "never": to SVT-AV1 a billion costs seconds.
    let interval = CInt(clamping: min(settings.keyframeInterval, 100_000))
    unsafe context.pointee.gop_size = interval
    unsafe context.pointee.keyint_min = interval
    if !settings.reordersPictures { unsafe context.pointee.max_b_frames = 0 }
    unsafe context.pointee.thread_count = CInt(clamping: settings.threads)
    unsafe context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
    unsafe settings.colors.apply(to: context)
  }

  /// Encodes a drawn picture.
  ///
  /// - Parameters:
  ///   - drawn: of the size in the settings.
  ///   - time: when it is shown; later than the last one's.
  ///   - output: the encoded frames are appended.
  /// - Throws: `.libav` if the encoder fails.
  package mutating func encode(
    _ drawn: borrowing YUVPicture, at time: MediaTime, into output: inout [Frame]
  ) throws(TranscodeError) {
    guard let type = nextType(at: time.ticks) else { return }
    try picture.copy(drawn)
    picture.pts = time.ticks
    unsafe picture.pointer.pointee.pict_type = type
    try context.encode(picture)
    try drain(into: &output)
  }

  /// Encodes a picture whose `pts` is in 1/90000 s; one that is not later than the last is
  /// passed over.
  ///
  /// - Parameters:
  ///   - frame: of the size in the settings.
  ///   - isKeyframe: whether a group starts with it, besides those that the interval asks for.
  ///   - output: the encoded frames are appended.
  /// - Throws: `.libav` if the encoder fails.
  mutating func encode(
    _ frame: inout MediaFrame, isKeyframe: Bool = false, into output: inout [Frame]
  ) throws(TranscodeError) {
    guard let time = frame.pts, var type = nextType(at: time) else { return }
    if isKeyframe {
      type = AV_PICTURE_TYPE_I
      sinceKeyframe = 0
    }
    unsafe frame.pointer.pointee.pict_type = type
    try context.encode(frame)
    try drain(into: &output)
  }

  /// What the next picture must be, by count; nil if its time is not after the last one's.
  private mutating func nextType(at time: Int64) -> AVPictureType? {
    guard time > lastTime else { return nil }
    let isFirst = lastTime == .min
    lastTime = time
    sinceKeyframe += 1
    guard isFirst || sinceKeyframe >= settings.keyframeInterval else { return AV_PICTURE_TYPE_NONE }
    sinceKeyframe = 0
    return AV_PICTURE_TYPE_I
  }

  /// Appends what the encoder still holds; nothing can be encoded after it.
  package mutating func finish(into output: inout [Frame]) throws(TranscodeError) {
    try context.finishEncoding()
    try drain(into: &output)
  }

  private mutating func drain(into output: inout [Frame]) throws(TranscodeError) {
    while try context.receive(&packet) == .ready {
      let pts = packet.pts ?? lastTime
      output.append(
        Frame(
          track: .video, codec: codec, dts: MediaTime(ticks: packet.dts ?? pts),
          pts: MediaTime(ticks: pts), isKeyframe: packet.isKey,
          payload: bitstream.payload(packet.bytes)))
    }
  }
}

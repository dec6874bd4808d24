import CFFmpeg
package import Media

/// Encodes pictures as H.264 without B-frames and without delay: one picture in, one frame out.
package struct VideoEncoder: ~Copyable {
  package let settings: VideoSettings
  /// The encoder that libavcodec had.
  package let name: String
  /// The AVCDecoderConfigurationRecord.
  package let configuration: [UInt8]
  private var context: CodecContext
  private var packet: MediaPacket
  private var picture: MediaFrame
  private var lastTime: Int64 = .min
  private var sinceKeyframe = 0

  /// Opens the encoder.
  ///
  /// - Throws: `.codecMissing`, naming what to install; `.libav` for settings that it refuses.
  package init(_ settings: VideoSettings) throws(TranscodeError) {
    guard let codec = unsafe Self.find(settings.encoder) else {
      throw TranscodeError(
        .codecMissing,
        "libavcodec has no H.264 encoder: install one with libx264"
          + " (Debian, Ubuntu: libavcodec-extra; Fedora: ffmpeg of RPM Fusion)")
    }
    let name = unsafe String(cString: codec.pointee.name)
    let context = try unsafe CodecContext.open(
      codec, name: name, options: Self.options(settings, encoder: name)
    ) { context in
      unsafe context.pointee.width = CInt(clamping: settings.width)
      unsafe context.pointee.height = CInt(clamping: settings.height)
      unsafe context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
      unsafe context.pointee.time_base = AVRational(num: 1, den: 90_000)
      unsafe context.pointee.framerate = AVRational(
        num: CInt(clamping: settings.rate.numerator),
        den: CInt(clamping: settings.rate.denominator))
      unsafe context.pointee.bit_rate = Int64(settings.bitrate)
      unsafe context.pointee.rc_max_rate = Int64(settings.bitrate)
      unsafe context.pointee.rc_buffer_size = CInt(clamping: settings.bitrate)
      unsafe context.pointee.gop_size = CInt(clamping: settings.keyframeInterval)
      unsafe context.pointee.keyint_min = CInt(clamping: settings.keyframeInterval)
      unsafe context.pointee.max_b_frames = 0
      unsafe context.pointee.thread_count = CInt(clamping: settings.threads)
      unsafe context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
      unsafe context.pointee.color_range = AVCOL_RANGE_MPEG
      unsafe context.pointee.colorspace = AVCOL_SPC_BT709
      unsafe context.pointee.color_primaries = AVCOL_PRI_BT709
      unsafe context.pointee.color_trc = AVCOL_TRC_BT709
    }
    let packet = try MediaPacket()
    let picture = try MediaFrame.picture(width: settings.width, height: settings.height)
    configuration = try AnnexB.configuration(parameterSets: context.extradata)
    self.settings = settings
    self.name = name
    self.packet = packet
    self.picture = picture
    self.context = context
  }

  private static func find(_ name: String) -> UnsafePointer<AVCodec>? {
    if let named = unsafe avcodec_find_encoder_by_name(name),
      unsafe named.pointee.id == AV_CODEC_ID_H264
    {
      return unsafe named
    }
    return unsafe avcodec_find_encoder(AV_CODEC_ID_H264)
  }

  private static func options(
    _ settings: VideoSettings, encoder: String
  ) -> [(String, String)] {
    guard encoder == "libx264" else { return [] }
    var parameters = "scenecut=0:open-gop=0"
    if settings.fillsBitrate { parameters += ":nal-hrd=cbr:filler=1" }
    return [
      ("preset", settings.preset), ("tune", "zerolatency"), ("profile", settings.profile),
      ("forced-idr", "1"), ("x264-params", parameters),
    ]
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
  mutating func encode(
    _ frame: inout MediaFrame, into output: inout [Frame]
  ) throws(TranscodeError) {
    guard let time = frame.pts, let type = nextType(at: time) else { return }
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
          track: .video, codec: .h264, dts: MediaTime(ticks: packet.dts ?? pts),
          pts: MediaTime(ticks: pts), isKeyframe: packet.isKey,
          payload: AnnexB.lengthPrefixed(packet.bytes)))
    }
  }
}

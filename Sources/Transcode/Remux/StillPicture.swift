import CFFmpeg
import Media

/// Decodes single keyframes of a recording and makes small pictures of them.
struct StillPicture: ~Copyable {
  private var decoder: CodecContext?
  private var track: MovieTrack?
  private var packet: MediaPacket
  private var picture: MediaFrame
  private var scaler = PictureScaler()
  /// Whether a picture is held.
  private(set) var isHeld = false

  init() throws(TranscodeError) {
    try self.init(MediaPacket(), MediaFrame())
  }

  private init(_ packet: consuming MediaPacket, _ picture: consuming MediaFrame) {
    self.packet = packet
    self.picture = picture
  }

  /// Tells what the next keyframes are coded in; what has no decoder gives no pictures.
  mutating func use(_ track: MovieTrack?) {
    self.track = track
    isHeld = false
    decoder = nil
    guard let track else { return }
    decoder = try? CodecContext.decoder(track.codec, record: track.configuration.record)
  }

  /// Decodes a keyframe on its own.
  ///
  /// - Returns: false if that gave no picture.
  mutating func decode(_ frame: Frame) throws(TranscodeError) -> Bool {
    isHeld = false
    guard decoder != nil else { return false }
    try packet.fill(
      frame.payload.span.extracting(droppingFirst: frame.payloadOffset), pts: 0, dts: 0)
    packet.markKey()
    if try decoder?.decode(packet) == true {
      try decoder?.finishDecoding()
      isHeld = try decoder?.receive(&picture) == .ready
    }
    decoder?.flush()
    return isHeld
  }

  /// The size it is shown in within a box, even, and never larger than it is.
  func size(width: Int, height: Int) -> (width: Int, height: Int) {
    let shape = track?.pixelShape ?? (numerator: 1, denominator: 1)
    return Self.fit(
      width: Double(picture.width) * Double(shape.numerator) / Double(shape.denominator),
      height: Double(picture.height), into: (width, height))
  }

  static func fit(
    width: Double, height: Double, into box: (width: Int, height: Int)
  ) -> (width: Int, height: Int) {
    let scale = min(1, Double(box.width) / max(1, width), Double(box.height) / max(1, height))
    func even(_ side: Double) -> Int { max(16, Int((side * scale / 2).rounded()) * 2) }
    return (even(width), even(height))
  }

  /// The picture held, in a size, as JPEG has it.
  mutating func scaled(width: Int, height: Int) throws(TranscodeError) -> MediaFrame {
    try scaler.scale(picture, width: width, height: height, colors: .bt601, isFull: true)
  }
}

/// Makes JPEG files.
enum JPEGFile {
  /// As libavcodec counts: 2 is the best, 31 the worst.
  private static let quantiser: CInt = 4

  /// Encodes a picture in YUV 4:2:0 of JPEG's range.
  static func encode(_ picture: borrowing MediaFrame) throws(TranscodeError) -> [UInt8] {
    guard let codec = unsafe avcodec_find_encoder(AV_CODEC_ID_MJPEG) else {
      throw TranscodeError(.codecMissing, "libavcodec has no encoder for JPEG")
    }
    let (width, height) = (picture.width, picture.height)
    var encoder = try unsafe CodecContext.open(codec, name: "the encoder for JPEG") { context in
      unsafe context.pointee.width = CInt(clamping: width)
      unsafe context.pointee.height = CInt(clamping: height)
      unsafe context.pointee.pix_fmt = AV_PIX_FMT_YUVJ420P
      unsafe context.pointee.color_range = AVCOL_RANGE_JPEG
      unsafe context.pointee.time_base = AVRational(num: 1, den: 25)
      unsafe context.pointee.flags |= AV_CODEC_FLAG_QSCALE
      unsafe context.pointee.global_quality = wl_quality(quantiser)
      unsafe context.pointee.thread_count = 1
    }
    unsafe picture.pointer.pointee.format = AV_PIX_FMT_YUVJ420P.rawValue
    unsafe picture.pointer.pointee.quality = wl_quality(quantiser)
    unsafe picture.pointer.pointee.pts = 0
    defer { unsafe picture.pointer.pointee.format = AV_PIX_FMT_YUV420P.rawValue }
    try encoder.encode(picture)
    try encoder.finishEncoding()
    var packet = try MediaPacket()
    guard try encoder.receive(&packet) == .ready else {
      throw TranscodeError(.libav, "the encoder for JPEG gave nothing")
    }
    return packet.bytes
  }
}

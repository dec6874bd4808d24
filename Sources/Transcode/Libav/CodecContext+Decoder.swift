import CFFmpeg
import Media

extension CodecContext {
  /// The largest picture that is decoded, in pixels: 8K, and a little for its edges.
  private static let maximumPixels: Int64 = 8192 * 4352

  /// Opens a decoder for a live stream, whose times are in 1/90000 s.
  ///
  /// - Parameters:
  ///   - codec: what is to be decoded.
  ///   - record: its configuration record.
  ///   - threads: more of them delay pictures.
  ///   - delay: how many pictures come later than they are shown, as far as is known.
  /// - Returns: the open decoder.
  /// - Throws: `.codecMissing`; `.libav` if the record makes no sense to it.
  static func decoder(
    _ codec: Codec, record: [UInt8], threads: Int = 1, delay: Int = 0
  ) throws(TranscodeError) -> CodecContext {
    guard let id = codec.libavID, let found = unsafe avcodec_find_decoder(id) else {
      throw TranscodeError(.codecMissing, "libavcodec has no decoder for \(codec.rawValue)")
    }
    var failure: CInt = 0
    let context = try unsafe open(found, name: "the decoder for \(codec.rawValue)") { context in
      failure = unsafe Self.copy(record, to: context)
      unsafe context.pointee.pkt_timebase = AVRational(num: 1, den: 90_000)
      unsafe context.pointee.thread_count = CInt(clamping: threads)
      unsafe context.pointee.has_b_frames = CInt(clamping: delay)
      unsafe context.pointee.max_pixels = maximumPixels
    }
    try failure.orThrow("opening the decoder for \(codec.rawValue)")
    return context
  }

  private static func copy(
    _ record: [UInt8], to context: UnsafeMutablePointer<AVCodecContext>
  ) -> CInt {
    if record.isEmpty { return 0 }
    let padded = record.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)
    guard let data = unsafe av_mallocz(padded) else { return wl_av_error_memory() }
    unsafe record.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress {
        unsafe data.copyMemory(from: from, byteCount: bytes.count)
      }
    }
    unsafe context.pointee.extradata = data.assumingMemoryBound(to: UInt8.self)
    unsafe context.pointee.extradata_size = CInt(clamping: record.count)
    return 0
  }
}

extension Codec {
  /// What libav calls it; nil for those that no worker decodes.
  fileprivate var libavID: AVCodecID? {
    switch self {
    case .h264: AV_CODEC_ID_H264
    case .h265: AV_CODEC_ID_HEVC
    case .av1: AV_CODEC_ID_AV1
    case .vp9: AV_CODEC_ID_VP9
    case .vp8: AV_CODEC_ID_VP8
    case .aac: AV_CODEC_ID_AAC
    case .mp3: AV_CODEC_ID_MP3
    case .opus: AV_CODEC_ID_OPUS
    case .ac3: AV_CODEC_ID_AC3
    case .eac3: AV_CODEC_ID_EAC3
    case .flac: AV_CODEC_ID_FLAC
    default: nil
    }
  }
}

import CFFmpeg
import CLinux
import Media

#if canImport(Glibc)
  import Glibc
#endif

/// One compressed packet as a file has it, with times in 1/90000 s of the file's own clock.
struct InputPacket: Sendable {
  var track: Track
  var pts: Int64
  var dts: Int64
  /// 0 if the file doesn't say.
  var duration: Int64
  var isKeyframe: Bool
  var bytes: [UInt8]
}

/// Owns an `AVFormatContext` that reads a descriptor; nothing else can be opened through it.
///
/// libav gets two callbacks, read and seek, and no protocol: a playlist or a reference in a hostile
/// file cannot name another file or an address.
@safe struct InputFile: ~Copyable {
  private let descriptor: CInt
  private var context: UnsafeMutablePointer<AVFormatContext>?
  private var io: UnsafeMutablePointer<AVIOContext>?
  private(set) var video: InputStream?
  private(set) var audio: InputStream?
  private var times = DecodingTimes()

  /// Containers that are read; others could refer to further files.
  private static let containers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,flv,live_flv,mpegts,mpeg,avi,asf,ogg,wav,aiff,mp3,aac,"
    + "flac,ac3,h264,hevc,m4v,mpegvideo,ivf,mxf,gif,au,caf,amr,w64,y4m,yuv4mpegpipe"

  /// Opens what a descriptor holds, from its start; the descriptor stays the caller's.
  ///
  /// - Throws: `.input` with libav's words, or if there is neither picture nor sound.
  static func open(descriptor: CInt) throws(TranscodeError) -> InputFile {
    var file = InputFile(descriptor: descriptor)
    try file.open()
    return file
  }

  private init(descriptor: CInt) { self.descriptor = descriptor }

  deinit {
    var context = unsafe context
    unsafe avformat_close_input(&context)
    if let io = unsafe io {
      unsafe av_free(io.pointee.buffer)
      unsafe io.pointee.buffer = nil
      var pointer: UnsafeMutablePointer<AVIOContext>? = unsafe io
      unsafe avio_context_free(&pointer)
    }
  }

  private mutating func open() throws(TranscodeError) {
    let bufferSize: CInt = 64 * 1024
    let isSeekable = lseek(descriptor, 0, SEEK_SET) == 0
    // The descriptor itself is the callbacks' context, moved by one so that 0 is not nil.
    let opaque = unsafe UnsafeMutableRawPointer(bitPattern: Int(descriptor) + 1)
    guard let buffer = unsafe av_malloc(Int(bufferSize)),
      let io = unsafe avio_alloc_context(
        buffer.assumingMemoryBound(to: UInt8.self), bufferSize, 0, opaque, readInput, nil,
        isSeekable ? seekInput : nil)
    else { throw TranscodeError.libav(wl_av_error_memory(), "opening the input") }
    unsafe self.io = io
    unsafe io.pointee.seekable = isSeekable ? AVIO_SEEKABLE_NORMAL : 0
    guard let fresh = unsafe avformat_alloc_context() else {
      throw TranscodeError.libav(wl_av_error_memory(), "opening the input")
    }
    unsafe fresh.pointee.pb = io
    unsafe fresh.pointee.flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_GENPTS
    var options: OpaquePointer?
    unsafe av_dict_set(&options, "format_whitelist", Self.containers, 0)
    unsafe av_dict_set(&options, "protocol_whitelist", "none", 0)
    defer { unsafe av_dict_free(&options) }
    var pointer: UnsafeMutablePointer<AVFormatContext>? = unsafe fresh
    // It frees the context when it fails.
    try unsafe avformat_open_input(&pointer, nil, nil, &options)
      .orThrow("reading the input", .input)
    unsafe context = pointer
    try unsafe avformat_find_stream_info(pointer, nil).orThrow("reading the input", .input)
    guard let context = unsafe pointer else { return }
    video = unsafe stream(AVMEDIA_TYPE_VIDEO, in: context)
    audio = unsafe stream(AVMEDIA_TYPE_AUDIO, in: context)
    guard video != nil || audio != nil else {
      throw TranscodeError(.input, "the input has neither picture nor sound")
    }
    let count = unsafe context.pointee.nb_streams
    for index in 0..<count
    where Int(index) != video?.index && Int(index) != audio?.index {
      unsafe wl_stream(context, index)?.pointee.discard = AVDISCARD_ALL
    }
  }

  private func stream(
    _ type: AVMediaType, in context: UnsafeMutablePointer<AVFormatContext>
  ) -> InputStream? {
    let index = unsafe av_find_best_stream(context, type, -1, -1, nil, 0)
    guard index >= 0, let stream = unsafe wl_stream(context, UInt32(index)),
      // A cover picture is no video.
      unsafe stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0,
      let parameters = unsafe stream.pointee.codecpar
    else { return nil }
    let rate = unsafe stream.pointee.avg_frame_rate
    var extradata: [UInt8] = []
    if let data = unsafe parameters.pointee.extradata {
      let size = unsafe Int(parameters.pointee.extradata_size)
      unsafe extradata = [UInt8](UnsafeBufferPointer(start: data, count: max(0, size)))
    }
    return unsafe InputStream(
      index: Int(index), codec: parameters.pointee.codec_id, format: parameters.pointee.format,
      profile: parameters.pointee.profile, extradata: extradata,
      width: Int(parameters.pointee.width), height: Int(parameters.pointee.height),
      rate: rate.num > 0 && rate.den > 0
        ? FrameRate(Int64(rate.num), per: Int64(rate.den)) : nil,
      sampleRate: Int(parameters.pointee.sample_rate))
  }

  /// Opens a decoder for one of the tracks.
  func decoder(for stream: InputStream) throws(TranscodeError) -> CodecContext {
    let name = unsafe String(cString: avcodec_get_name(stream.codec))
    guard let codec = unsafe avcodec_find_decoder(stream.codec),
      let raw = unsafe context.flatMap({ unsafe wl_stream($0, UInt32(stream.index)) })
    else { throw TranscodeError(.codecMissing, "libavcodec has no decoder for \(name)") }
    var failure: CInt = 0
    let decoder = try unsafe CodecContext.open(codec, name: "the decoder for \(name)") { context in
      failure = unsafe avcodec_parameters_to_context(context, raw.pointee.codecpar)
      unsafe context.pointee.pkt_timebase = AVRational(num: 1, den: 90_000)
      unsafe context.pointee.thread_count = 2
    }
    try failure.orThrow("opening the decoder for \(name)")
    return decoder
  }

  /// Reads the next packet of the chosen tracks.
  ///
  /// - Returns: nil at the end of the file.
  /// - Throws: `.input` if reading fails in the middle.
  mutating func read(_ packet: inout MediaPacket) throws(TranscodeError) -> InputPacket? {
    while true {
      if let input = times.pop() { return input }
      packet.clear()
      let result = unsafe av_read_frame(context, packet.pointer)
      if result == wl_av_error_eof() {
        times.finish()
        return times.pop()
      }
      try result.orThrow("reading the input", .input)
      if let video, packet.streamIndex == video.index {
        take(packet, .video, video)
      } else if let audio, packet.streamIndex == audio.index {
        take(packet, .audio, audio)
      }
    }
  }

  /// Puts a packet in line, with its times in 1/90000 s.
  private mutating func take(
    _ packet: borrowing MediaPacket, _ track: Track, _ stream: InputStream
  ) {
    let bytes = packet.bytes
    if bytes.isEmpty { return }
    let ticks = AVRational(num: 1, den: 90_000)
    var unit = ticks
    if let context = unsafe context, let raw = unsafe wl_stream(context, UInt32(stream.index)) {
      unit = unsafe raw.pointee.time_base
    }
    var duration = av_rescale_q(packet.duration, unit, ticks)
    if duration == 0, let rate = stream.rate { duration = rate.time(ofFrame: 1, scale: 90_000) }
    times.push(
      InputPacket(
        track: track, pts: 0, dts: 0, duration: duration, isKeyframe: packet.isKey, bytes: bytes),
      pts: packet.pts.map { av_rescale_q($0, unit, ticks) },
      dts: packet.dts.map { av_rescale_q($0, unit, ticks) })
  }
}

/// What a file says about one of its tracks.
struct InputStream: Sendable {
  var index: Int
  var codec: AVCodecID
  /// The pixel or sample format.
  var format: CInt
  var profile: CInt
  var extradata: [UInt8]
  var width: Int
  var height: Int
  var rate: FrameRate?
  var sampleRate: Int
}

/// libav's read callback.
private func readInput(
  opaque: UnsafeMutableRawPointer?, buffer: UnsafeMutablePointer<UInt8>?, size: CInt
) -> CInt {
  let descriptor = CInt(truncatingIfNeeded: Int(bitPattern: opaque) - 1)
  while true {
    let count = unsafe Glibc.read(descriptor, buffer, Int(size))
    if count > 0 { return CInt(count) }
    if count == 0 { return wl_av_error_eof() }
    if errno != EINTR { return -errno }
  }
}

/// libav's seek callback; it also asks for the size with it.
private func seekInput(opaque: UnsafeMutableRawPointer?, offset: Int64, whence: CInt) -> Int64 {
  let descriptor = CInt(truncatingIfNeeded: Int(bitPattern: opaque) - 1)
  if whence & AVSEEK_SIZE != 0 {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? Int64(status.st_size) : Int64(-errno)
  }
  let position = lseek(descriptor, off_t(offset), whence & ~AVSEEK_FORCE)
  return position < 0 ? Int64(-errno) : Int64(position)
}

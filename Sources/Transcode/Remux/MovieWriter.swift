import CFFmpeg
import Media

/// Writes one MP4 file by libavformat, without encoding anything anew.
///
/// A frame is written when the next one of its track has come: its duration is then known.
@safe struct MovieWriter: ~Copyable {
  /// How the file is laid out.
  enum Layout: Equatable {
    /// With its index in front.
    case whole
    /// In fragments that begin with a keyframe and aim at a length, in 1/90000 s.
    case fragments(Int64)
  }

  private let output: MovieOutput
  private var context: UnsafeMutablePointer<AVFormatContext>?
  private let layout: Layout
  private var video: Line?
  private var audio: Line?
  private var packet: MediaPacket
  private var hasEnded = false
  /// Where the fragments lie; of fragments only.
  private(set) var headerBytes = 0
  private(set) var segments: [RemuxResult.Segment] = []
  private var fragmentStart: Int64?
  private var fragmentBytes = 0

  /// One track, with the frame that waits for its duration.
  private struct Line {
    var index: CInt
    var unit: AVRational
    var clock: SampleClock?
    var waiting: (frame: Frame, dts: Int64, pts: Int64)?
    /// Of the last frame whose duration was known.
    var duration: Int64
  }

  /// A fragment without a keyframe ends here all the same: it is held in memory.
  private static let longestFragment: Int64 = 60 * 90_000
  private static let largestFragment = 64 << 20

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - layout: of it.
  ///   - video: its track of pictures, known.
  ///   - audio: its track of sound, known.
  ///   - output: empty.
  /// - Returns: a writer; let go of, or ended by `finish`.
  /// - Throws: `.libav`, `.full` when the disk is full.
  static func begin(
    _ layout: Layout, video: MovieTrack?, audio: MovieTrack?, to output: MovieOutput
  ) throws(TranscodeError) -> MovieWriter {
    var writer = try MovieWriter(layout, output)
    try writer.begin(video, audio)
    return writer
  }

  private init(_ layout: Layout, _ output: MovieOutput) throws(TranscodeError) {
    self.layout = layout
    self.output = output
    packet = try MediaPacket()
  }

  deinit { unsafe avformat_free_context(context) }

  private mutating func begin(
    _ videoTrack: MovieTrack?, _ audioTrack: MovieTrack?
  ) throws(TranscodeError) {
    try unsafe avformat_alloc_output_context2(&context, nil, "mp4", nil).orThrow("opening an MP4")
    guard let context = unsafe context else {
      throw TranscodeError.libav(wl_av_error_memory(), "opening an MP4")
    }
    unsafe context.pointee.pb = output.io
    unsafe context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
    unsafe context.pointee.opaque = Unmanaged.passUnretained(output).toOpaque()
    unsafe context.pointee.io_open = { context, io, _, flags, _ in
      guard let context = unsafe context, let io = unsafe io, flags & AVIO_FLAG_WRITE == 0,
        let reader = unsafe MovieOutput.from(context.pointee.opaque)?.openReader()
      else { return wl_av_error_invalid() }
      unsafe io.pointee = unsafe reader
      return 0
    }
    unsafe context.pointee.io_close2 = { _, io in
      if let io = unsafe io { unsafe MovieOutput.closeReader(io) }
      return 0
    }
    if let videoTrack { unsafe video = try add(videoTrack, to: context) }
    if let audioTrack { unsafe audio = try add(audioTrack, to: context) }
    var options: OpaquePointer?
    defer { unsafe av_dict_free(&options) }
    let flags =
      layout == .whole ? "faststart" : "empty_moov+frag_custom+default_base_moof+skip_trailer"
    unsafe av_dict_set(&options, "movflags", flags, 0)
    unsafe av_dict_set(&options, "video_track_timescale", "90000", 0)
    let result = unsafe avformat_write_header(context, &options)
    if result < 0 { throw output.error(result, "beginning an MP4") }
    unsafe avio_flush(output.io)
    headerBytes = Int(output.bytes)
  }

  private func add(
    _ track: MovieTrack, to context: UnsafeMutablePointer<AVFormatContext>
  ) throws(TranscodeError) -> Line {
    guard let stream = unsafe avformat_new_stream(context, nil),
      let parameters = unsafe stream.pointee.codecpar, let id = MovieCodec.id(track.codec)
    else { throw TranscodeError.libav(wl_av_error_memory(), "adding a track") }
    unsafe parameters.pointee.codec_id = id
    unsafe parameters.pointee.codec_tag = MovieCodec.tag(track.codec)
    try unsafe Self.copy(track.configuration.record, to: parameters)
    switch track.codec.track {
    case .video:
      unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_VIDEO
      unsafe parameters.pointee.width = CInt(clamping: track.width)
      unsafe parameters.pointee.height = CInt(clamping: track.height)
      unsafe parameters.pointee.format = track.pixelFormat
      let shape = AVRational(
        num: CInt(clamping: track.pixelShape.numerator),
        den: CInt(clamping: track.pixelShape.denominator))
      unsafe parameters.pointee.sample_aspect_ratio = shape
      unsafe stream.pointee.sample_aspect_ratio = shape
      let unit = AVRational(num: 1, den: 90_000)
      unsafe stream.pointee.time_base = unit
      return unsafe Line(index: stream.pointee.index, unit: unit, duration: 3_000)
    case .audio:
      unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_AUDIO
      unsafe parameters.pointee.sample_rate = CInt(clamping: track.sampleRate)
      unsafe parameters.pointee.frame_size = CInt(clamping: track.packetSamples)
      unsafe av_channel_layout_default(
        &parameters.pointee.ch_layout, CInt(clamping: track.channels))
      let unit = AVRational(num: 1, den: CInt(clamping: track.sampleRate))
      unsafe stream.pointee.time_base = unit
      return unsafe Line(
        index: stream.pointee.index, unit: unit,
        clock: SampleClock(rate: track.sampleRate, packetSamples: track.packetSamples),
        duration: Int64(max(1, track.packetSamples)))
    }
  }

  private static func copy(
    _ record: [UInt8], to parameters: UnsafeMutablePointer<AVCodecParameters>
  ) throws(TranscodeError) {
    if record.isEmpty { return }
    guard let data = unsafe av_mallocz(record.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)) else {
      throw TranscodeError.libav(wl_av_error_memory(), "adding a track")
    }
    unsafe record.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress {
        unsafe data.copyMemory(from: from, byteCount: bytes.count)
      }
    }
    unsafe parameters.pointee.extradata = data.assumingMemoryBound(to: UInt8.self)
    unsafe parameters.pointee.extradata_size = CInt(clamping: record.count)
  }

  /// Takes the next frame of the movie.
  mutating func write(_ placed: RecordingTimeline.Placed) throws(TranscodeError) {
    if case .fragments(let length) = layout { try cut(before: placed, length: length) }
    let frame = placed.frame
    switch frame.track {
    case .video:
      guard let line = video else { return }
      try flush(line, next: placed.dts)
      if let waiting = line.waiting { video?.duration = placed.dts - waiting.dts }
      video?.waiting = (frame, placed.dts, placed.pts)
    case .audio:
      guard var line = audio else { return }
      let sample = line.clock?.place(placed.dts) ?? placed.dts
      try flush(line, next: sample)
      if let waiting = line.waiting { line.duration = sample - waiting.dts }
      line.waiting = (frame, sample, sample)
      audio = line
    }
  }

  /// Ends the file: with its index, or its last fragment.
  ///
  /// - Parameter end: of the movie, in 1/90000 s.
  /// - Returns: how long the file is, in bytes.
  /// - Throws: `.libav`, `.full` when the disk is full.
  mutating func finish(end: Int64) throws(TranscodeError) -> Int {
    if let line = video { try flush(line, next: nil) }
    if let line = audio { try flush(line, next: nil) }
    video?.waiting = nil
    audio?.waiting = nil
    if case .fragments = layout, let start = fragmentStart { try endFragment(from: start, to: end) }
    let result = unsafe av_write_trailer(context)
    if result < 0 { throw output.error(result, "ending an MP4") }
    unsafe avio_flush(output.io)
    if output.failure != 0 { throw output.error(0, "ending an MP4") }
    return Int(output.bytes)
  }

  /// Writes the frame that waits on a line.
  private mutating func flush(_ line: Line, next: Int64?) throws(TranscodeError) {
    guard let waiting = line.waiting else { return }
    let frame = waiting.frame
    try packet.fill(
      frame.payload.span.extracting(droppingFirst: frame.payloadOffset), pts: waiting.pts,
      dts: waiting.dts)
    if frame.isKeyframe { packet.markKey() }
    unsafe packet.pointer.pointee.stream_index = line.index
    // A pause is not the last frame's length twice: what comes after it says where it is.
    unsafe packet.pointer.pointee.duration = max(1, next.map { $0 - waiting.dts } ?? line.duration)
    fragmentBytes += frame.byteCount
    if let stream = unsafe context.flatMap({ unsafe wl_stream($0, UInt32(line.index)) }) {
      unsafe av_packet_rescale_ts(packet.pointer, line.unit, stream.pointee.time_base)
    }
    let result = unsafe av_write_frame(context, packet.pointer)
    if result < 0 { throw output.error(result, "writing an MP4") }
  }

  /// Ends a fragment before a frame that the next one can begin with.
  private mutating func cut(
    before placed: RecordingTimeline.Placed, length: Int64
  ) throws(TranscodeError) {
    guard let start = fragmentStart else {
      fragmentStart = placed.dts
      return
    }
    let frame = placed.frame
    let isPlace = frame.track == .video ? frame.isKeyframe : video == nil
    let isDue = placed.dts - start >= length && isPlace
    let isTooMuch =
      placed.dts - start >= Self.longestFragment || fragmentBytes >= Self.largestFragment
    guard isDue || isTooMuch else { return }
    // The picture before it gets its length now; sound that waits goes with the next fragment.
    if frame.track == .video, let line = video {
      try flush(line, next: placed.dts)
      video?.waiting = nil
    }
    try endFragment(from: start, to: placed.dts)
    fragmentStart = placed.dts
  }

  private mutating func endFragment(from start: Int64, to end: Int64) throws(TranscodeError) {
    let result = unsafe av_write_frame(context, nil)
    if result < 0 { throw output.error(result, "writing a fragment") }
    unsafe avio_flush(output.io)
    let offset = segments.last.map { $0.offset + $0.bytes } ?? headerBytes
    let bytes = Int(output.bytes) - offset
    fragmentBytes = 0
    if bytes > 0 {
      segments.append(
        RemuxResult.Segment(
          offset: offset, bytes: bytes, seconds: Double(max(0, end - start)) / 90_000))
    }
  }
}

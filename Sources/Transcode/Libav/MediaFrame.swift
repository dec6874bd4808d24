import CFFmpeg

/// Owns an `AVFrame`: a picture or a stretch of sound that is not compressed.
@safe struct MediaFrame: ~Copyable {
  private let raw: UnsafeMutablePointer<AVFrame>

  init() throws(TranscodeError) {
    guard let frame = unsafe av_frame_alloc() else {
      throw TranscodeError.libav(wl_av_error_memory(), "allocating a frame")
    }
    unsafe raw = frame
  }

  /// A picture with its planes, in YUV 4:2:0.
  static func picture(width: Int, height: Int) throws(TranscodeError) -> MediaFrame {
    let frame = try MediaFrame()
    unsafe frame.raw.pointee.format = AV_PIX_FMT_YUV420P.rawValue
    unsafe frame.raw.pointee.width = CInt(clamping: width)
    unsafe frame.raw.pointee.height = CInt(clamping: height)
    try unsafe av_frame_get_buffer(frame.raw, 0)
      .orThrow("allocating a picture of \(width)x\(height)")
    return frame
  }

  /// A picture in YUV 4:2:0 whose planes come from a pool of libav's and go back into it.
  static func picture(
    width: Int, height: Int, from pool: OpaquePointer
  ) throws(TranscodeError) -> MediaFrame {
    let frame = try MediaFrame()
    unsafe frame.raw.pointee.format = AV_PIX_FMT_YUV420P.rawValue
    unsafe frame.raw.pointee.width = CInt(clamping: width)
    unsafe frame.raw.pointee.height = CInt(clamping: height)
    try unsafe wl_frame_use_pool(frame.raw, pool)
      .orThrow("allocating a picture of \(width)x\(height)")
    return frame
  }

  /// Another owner of the same picture or sound, with times and flags of its own.
  static func sharing(_ other: borrowing MediaFrame) throws(TranscodeError) -> MediaFrame {
    let frame = try MediaFrame()
    try unsafe av_frame_ref(frame.raw, other.raw).orThrow("sharing a frame")
    return frame
  }

  /// Planar sound of 32-bit floats, with room for `samples` of each channel.
  static func sound(
    samples: Int, sampleRate: Int, channels: Int
  ) throws(TranscodeError) -> MediaFrame {
    let frame = try MediaFrame()
    unsafe frame.raw.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
    unsafe frame.raw.pointee.nb_samples = CInt(clamping: samples)
    unsafe frame.raw.pointee.sample_rate = CInt(clamping: sampleRate)
    unsafe av_channel_layout_default(&frame.raw.pointee.ch_layout, CInt(clamping: channels))
    try unsafe av_frame_get_buffer(frame.raw, 0).orThrow("allocating \(samples) samples")
    return frame
  }

  deinit {
    var frame: UnsafeMutablePointer<AVFrame>? = unsafe raw
    unsafe av_frame_free(&frame)
  }

  /// For libav's calls; valid as long as this owner lives.
  var pointer: UnsafeMutablePointer<AVFrame> { unsafe raw }

  var width: Int { unsafe Int(raw.pointee.width) }
  var height: Int { unsafe Int(raw.pointee.height) }
  var format: CInt { unsafe raw.pointee.format }
  var sampleCount: Int { unsafe Int(raw.pointee.nb_samples) }
  var sampleRate: Int { unsafe Int(raw.pointee.sample_rate) }
  var channelCount: Int { unsafe Int(raw.pointee.ch_layout.nb_channels) }
  var isKey: Bool { unsafe wl_frame_is_key(raw) != 0 }
  /// Whether it is two fields of different moments.
  var isInterlaced: Bool { unsafe wl_frame_is_interlaced(raw) != 0 }

  /// In the unit of whoever filled it; nil if it has none.
  var pts: Int64? {
    get { unsafe raw.pointee.pts == wl_av_no_pts() ? nil : raw.pointee.pts }
    set { unsafe raw.pointee.pts = newValue ?? wl_av_no_pts() }
  }

  /// The decoder's best guess at the time, for streams with missing or broken ones.
  var bestTime: Int64? {
    let time = unsafe raw.pointee.best_effort_timestamp
    return time == wl_av_no_pts() ? pts : time
  }

  /// Lets the data go.
  mutating func clear() { unsafe av_frame_unref(raw) }

  /// Makes sure that nobody else, such as an encoder, still reads what is written next.
  mutating func makeWritable() throws(TranscodeError) {
    try unsafe av_frame_make_writable(raw).orThrow("copying a frame that is in use")
  }

  /// Copies a drawn picture of the same size in.
  mutating func copy(_ picture: borrowing YUVPicture) throws(TranscodeError) {
    guard picture.width == width, picture.height == height else {
      throw TranscodeError(
        .libav, "a picture of \(picture.width)x\(picture.height) for \(width)x\(height)")
    }
    try makeWritable()
    copyPlane(0, picture.y.span, rowBytes: width)
    copyPlane(1, picture.u.span, rowBytes: width / 2)
    copyPlane(2, picture.v.span, rowBytes: width / 2)
  }

  private func copyPlane(_ plane: CInt, _ bytes: borrowing Span<UInt8>, rowBytes: Int) {
    let stride = Int(unsafe wl_frame_stride(raw, plane))
    unsafe bytes.withUnsafeBytes { source in
      guard let from = source.baseAddress, let to = unsafe wl_frame_plane(raw, plane) else {
        return
      }
      for row in 0..<source.count / rowBytes {
        unsafe UnsafeMutableRawPointer(to + row * stride)
          .copyMemory(from: from + row * rowBytes, byteCount: rowBytes)
      }
    }
  }

  /// Copies one plane out, without the padding of its rows.
  func plane(_ plane: Int, rowBytes: Int, rows: Int) -> [UInt8] {
    guard let data = unsafe wl_frame_plane(raw, CInt(plane)) else { return [] }
    let stride = Int(unsafe wl_frame_stride(raw, CInt(plane)))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(rowBytes * rows)
    for row in 0..<rows {
      unsafe bytes.append(
        contentsOf: UnsafeBufferPointer(start: data + row * stride, count: rowBytes))
    }
    return bytes
  }

  /// One channel of planar float sound, copied.
  func channel(_ channel: Int) -> [Float] {
    guard let data = unsafe wl_frame_plane(raw, CInt(channel)) else { return [] }
    return unsafe data.withMemoryRebound(to: Float.self, capacity: sampleCount) {
      unsafe [Float](UnsafeBufferPointer(start: $0, count: sampleCount))
    }
  }

  /// Writes one channel of planar float sound; as many samples as both have.
  mutating func setChannel(_ channel: Int, _ samples: borrowing Span<Float>) {
    let count = min(samples.count, sampleCount)
    guard let data = unsafe wl_frame_plane(raw, CInt(channel)) else { return }
    unsafe samples.withUnsafeBufferPointer { source in
      unsafe data.withMemoryRebound(to: Float.self, capacity: count) { target in
        for index in 0..<count { unsafe target[index] = source[index] }
      }
    }
  }
}

import CFFmpeg

/// Owns an `AVCodecContext`: one encoder or one decoder, opened.
@safe struct CodecContext: ~Copyable {
  private let raw: UnsafeMutablePointer<AVCodecContext>
  /// How often a decoder found what it could not decode.
  private(set) var brokenCount: UInt64 = 0

  /// What an encoder or decoder answers when it is asked for the next piece.
  enum Next: Equatable { case ready, needsInput, ended }

  private init(_ codec: UnsafePointer<AVCodec>, name: String) throws(TranscodeError) {
    guard let context = unsafe avcodec_alloc_context3(codec) else {
      throw TranscodeError.libav(wl_av_error_memory(), "allocating \(name)")
    }
    unsafe raw = context
  }

  /// Opens a codec.
  ///
  /// - Parameters:
  ///   - codec: what libav found.
  ///   - name: for errors.
  ///   - options: private options of the codec, such as `preset`; unknown ones are an error.
  ///   - configure: sets the fields before it is opened.
  /// - Returns: the open codec.
  /// - Throws: `.libav` with the codec's own words.
  static func open(
    _ codec: UnsafePointer<AVCodec>, name: String, options: [(String, String)] = [],
    configure: (UnsafeMutablePointer<AVCodecContext>) throws(TranscodeError) -> Void
  ) throws(TranscodeError) -> CodecContext {
    let context = try unsafe prepare(codec, name: name, options: options, configure: configure)
    try unsafe avcodec_open2(context.raw, codec, nil).orThrow("opening \(name)")
    return context
  }

  /// Does all that `open` does, but for the opening.
  static func prepare(
    _ codec: UnsafePointer<AVCodec>, name: String, options: [(String, String)],
    configure: (UnsafeMutablePointer<AVCodecContext>) throws(TranscodeError) -> Void
  ) throws(TranscodeError) -> CodecContext {
    let context = try unsafe CodecContext(codec, name: name)
    try unsafe configure(context.raw)
    for (key, value) in options {
      try unsafe av_opt_set(context.raw.pointee.priv_data, key, value, 0)
        .orThrow("setting \(key)=\(value) of \(name)")
    }
    return context
  }

  deinit {
    var context: UnsafeMutablePointer<AVCodecContext>? = unsafe raw
    unsafe avcodec_free_context(&context)
  }

  /// For libav's calls; valid as long as this owner lives.
  var pointer: UnsafeMutablePointer<AVCodecContext> { unsafe raw }

  /// Lets a decoder forget what it holds, so that it can go on after its end or elsewhere.
  mutating func flush() { unsafe avcodec_flush_buffers(raw) }

  /// The global headers: SPS and PPS, or an AudioSpecificConfig.
  var extradata: [UInt8] {
    guard let data = unsafe raw.pointee.extradata, unsafe raw.pointee.extradata_size > 0 else {
      return []
    }
    return unsafe [UInt8](
      UnsafeBufferPointer(start: data, count: Int(raw.pointee.extradata_size)))
  }

  /// Samples of each channel that an audio encoder takes at once.
  var frameSize: Int { unsafe Int(raw.pointee.frame_size) }

  /// Gives an encoder a frame.
  mutating func encode(_ frame: borrowing MediaFrame) throws(TranscodeError) {
    try unsafe avcodec_send_frame(raw, frame.pointer).orThrow("encoding a frame")
  }

  /// Tells an encoder that no frame follows; what it still holds comes out.
  mutating func finishEncoding() throws(TranscodeError) {
    let result = unsafe avcodec_send_frame(raw, nil)
    if result != wl_av_error_eof() { try result.orThrow("ending an encoder") }
  }

  /// Takes the next packet out of an encoder.
  mutating func receive(_ packet: inout MediaPacket) throws(TranscodeError) -> Next {
    packet.clear()
    let result = unsafe avcodec_receive_packet(raw, packet.pointer)
    if result == wl_av_error_again() { return .needsInput }
    if result == wl_av_error_eof() { return .ended }
    try result.orThrow("encoding a frame")
    return .ready
  }

  /// Gives a decoder a packet.
  ///
  /// - Returns: false if the packet is broken and was passed over.
  /// - Throws: `.libav` when memory is short.
  mutating func decode(_ packet: borrowing MediaPacket) throws(TranscodeError) -> Bool {
    try isWhole(unsafe avcodec_send_packet(raw, packet.pointer))
  }

  /// Whether a decoder took something; what it can't decode is counted and is no error.
  private mutating func isWhole(_ result: CInt) throws(TranscodeError) -> Bool {
    if result == wl_av_error_memory() { try result.orThrow("decoding") }
    if result < 0 { brokenCount += 1 }
    return result >= 0
  }

  /// Tells a decoder that no packet follows; what is broken of those it still holds is passed over.
  ///
  /// - Throws: `.libav` when memory is short.
  mutating func finishDecoding() throws(TranscodeError) {
    let result = unsafe avcodec_send_packet(raw, nil)
    if result != wl_av_error_eof() { _ = try isWhole(result) }
  }

  /// Takes the next frame out of a decoder; broken ones are passed over.
  mutating func receive(_ frame: inout MediaFrame) throws(TranscodeError) -> Next {
    frame.clear()
    let result = unsafe avcodec_receive_frame(raw, frame.pointer)
    if result == wl_av_error_again() { return .needsInput }
    if result == wl_av_error_eof() { return .ended }
    return try isWhole(result) ? .ready : .needsInput
  }
}

import CFFmpeg

/// Owns an `SwrContext` that is set up anew when the source's format changes.
@safe struct SoundResampler: ~Copyable {
  private var context: OpaquePointer? = unsafe swr_alloc()

  deinit {
    var context = unsafe context
    unsafe swr_free(&context)
  }

  /// Converts sound to planar floats at a rate, mixed to one channel or two.
  mutating func convert(
    _ source: borrowing MediaFrame, sampleRate: Int, channels: Int
  ) throws(TranscodeError) -> MediaFrame {
    let target = try MediaFrame()
    unsafe target.pointer.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
    unsafe target.pointer.pointee.sample_rate = CInt(clamping: sampleRate)
    unsafe av_channel_layout_default(
      &target.pointer.pointee.ch_layout, CInt(clamping: channels))
    var result = unsafe swr_convert_frame(context, target.pointer, source.pointer)
    if result < 0 {
      unsafe swr_close(context)
      result = unsafe swr_convert_frame(context, target.pointer, source.pointer)
    }
    try result.orThrow("resampling sound", .input)
    return target
  }
}

import CFFmpeg

/// Owns an `AVBufferPool`: memory of pictures of one size that is used again and again.
///
/// A picture's memory is given back to the system when it is freed, and comes from it zeroed: for
/// thirty pictures a second that costs more than it should.
@safe struct PicturePool: ~Copyable {
  private var raw: OpaquePointer?
  private var width = 0
  private var height = 0

  init() {}

  /// The pool's memory goes when the last picture of it goes.
  deinit {
    var pool: OpaquePointer? = unsafe raw
    unsafe av_buffer_pool_uninit(&pool)
  }

  /// A picture in YUV 4:2:0; another size than before makes the pool anew.
  mutating func picture(width: Int, height: Int) throws(TranscodeError) -> MediaFrame {
    if unsafe raw == nil || width != self.width || height != self.height {
      unsafe av_buffer_pool_uninit(&raw)
      let size = av_image_get_buffer_size(
        AV_PIX_FMT_YUV420P, CInt(clamping: width), CInt(clamping: height), 64)
      try size.orThrow("a picture of \(width)x\(height)")
      // Scalers and encoders read a little past the last row's end.
      unsafe raw = av_buffer_pool_init(Int(size) + 64, nil)
      (self.width, self.height) = (width, height)
    }
    guard let pool = unsafe raw else {
      throw TranscodeError.libav(wl_av_error_memory(), "making a pool of pictures")
    }
    return try unsafe MediaFrame.picture(width: width, height: height, from: pool)
  }
}

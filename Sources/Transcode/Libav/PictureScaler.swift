import CFFmpeg

/// Owns an `SwsContext` that is made anew when the source's size or format changes.
@safe struct PictureScaler: ~Copyable {
  private var context: OpaquePointer?
  private var pool = PicturePool()
  /// What the context was last told of colours: matrices from and to, and the source's range.
  private var told: [CInt] = []

  deinit { unsafe sws_freeContext(context) }

  /// Converts a picture to YUV 4:2:0 of a size, in the range of television unless JPEG's is asked
  /// for.
  ///
  /// - Parameters:
  ///   - source: of any size and format that libswscale reads.
  ///   - width: of the picture made, even.
  ///   - height: of the picture made, even.
  ///   - colors: of the picture made; only its matrix is converted to.
  ///   - isFull: whether the picture made has the range of JPEG.
  /// - Returns: a picture without a time.
  /// - Throws: `.input` for a format that can't be read.
  mutating func scale(
    _ source: borrowing MediaFrame, width: Int, height: Int, colors: PictureColors = .bt709,
    isFull: Bool = false
  ) throws(TranscodeError) -> MediaFrame {
    let before = unsafe context
    unsafe context = sws_getCachedContext(
      context, CInt(source.width), CInt(source.height), AVPixelFormat(source.format),
      CInt(width), CInt(height), AV_PIX_FMT_YUV420P, wl_scale_bicubic(), nil, nil, nil)
    guard let context = unsafe context else {
      throw TranscodeError(.input, "pictures of \(source.width)x\(source.height) cannot be scaled")
    }
    if unsafe before != context { told = [] }
    tell(PictureColors(of: source), source, colors, isFull)
    let target = try pool.picture(width: width, height: height)
    try unsafe wl_scale(context, source.pointer, target.pointer).orThrow("scaling a picture")
    return target
  }

  /// Tells the context how colours are coded, if that is news: it makes tables of it.
  private mutating func tell(
    _ from: PictureColors, _ source: borrowing MediaFrame, _ to: PictureColors,
    _ isFull: Bool
  ) {
    let wasFull = unsafe source.pointer.pointee.color_range == AVCOL_RANGE_JPEG
    let news = [
      CInt(clamping: from.matrix), CInt(clamping: to.matrix), wasFull ? 1 : 0, isFull ? 1 : 0,
    ]
    if news == told { return }
    told = news
    _ = unsafe sws_setColorspaceDetails(
      context, sws_getCoefficients(news[0]), news[2], sws_getCoefficients(news[1]), news[3], 0,
      1 << 16, 1 << 16)
  }
}

import CFFmpeg
import Media

#if canImport(Glibc)
  import Glibc
#endif

/// One rung, as the thread that scales sees it.
final class CascadeRung {
  /// Its place in the job.
  let index: Int
  /// To its thread; nil before it was first needed.
  var queue: BoundedQueue<RungTask>?
  /// The preset of its encoder; nil while it is not encoded.
  var preset: String?
  private var scaler = PictureScaler()

  init(_ index: Int) { self.index = index }

  /// A picture of the rung's size; the same one if it is of that size already.
  func scale(
    _ picture: LadderPicture, to size: PictureSize, colors: PictureColors
  ) throws(TranscodeError) -> LadderPicture {
    if picture.frame.isEncodable(width: size.width, height: size.height) { return picture }
    let scaled = try scaler.scale(
      picture.frame, width: size.width, height: size.height, colors: colors)
    return LadderPicture(scaled, at: picture.time)
  }
}

extension MediaFrame {
  /// Whether an encoder takes it as it is.
  fileprivate func isEncodable(width: Int, height: Int) -> Bool {
    let isFull = unsafe pointer.pointee.color_range == AVCOL_RANGE_JPEG
    return self.width == width && self.height == height
      && format == AV_PIX_FMT_YUV420P.rawValue && !isFull
  }

  /// Width to height of a pixel; 0:1 where it isn't said.
  var pixelAspect: (width: Int, height: Int) {
    let ratio = unsafe pointer.pointee.sample_aspect_ratio
    return (Int(ratio.num), Int(ratio.den))
  }
}

/// A clock that never goes back.
enum LadderClock {
  static func now() -> Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

import Glibc

/// The names of a recording's files: `{wedding}-{camera}-{quality}_%Y%m%d_%H%M%S.flv`.
struct PartName {
  let wedding: String
  let camera: String
  let quality: String

  /// The name of a part that begins at a time, in the machine's time zone.
  ///
  /// - Parameter milliseconds: since 1970.
  /// - Returns: the name of the file.
  func file(at milliseconds: Int64) -> String {
    var seconds = time_t(milliseconds / 1_000)
    var time = unsafe tm()
    unsafe localtime_r(&seconds, &time)
    let date = unsafe [time.tm_year + 1_900, time.tm_mon + 1, time.tm_mday]
    let clock = unsafe [time.tm_hour, time.tm_min, time.tm_sec]
    return "\(wedding)-\(camera)-\(quality)_\(Self.text(date))_\(Self.text(clock)).flv"
  }

  private static func text(_ numbers: [Int32]) -> String {
    numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined()
  }
}

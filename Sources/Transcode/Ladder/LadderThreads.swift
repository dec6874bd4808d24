import Media

#if canImport(Glibc)
  import Glibc
#endif

/// How many threads a codec gets: one where one is enough, since each costs time of its own.
enum LadderThreads {
  private static let cores = max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))))

  /// One for each 720p's worth of pixels.
  static func encoder(width: Int, height: Int) -> Int {
    let worth = (width * height + 1280 * 720 - 1) / (1280 * 720)
    return min(max(1, worth), cores, 16)
  }

  /// One up to 1080p.
  static func decoder(for source: LadderSource) -> Int {
    guard let size = source.size, size.width * size.height > 1920 * 1088 else { return 1 }
    return min(4, cores)
  }
}

/// `qualities`: the rungs below the source, the plan's by default.
struct QualitiesSection: Equatable, Sendable {
  var p2160 = Quality(3840, 2160, 15_000_000, 256_000)
  var p1080 = Quality(1920, 1080, 5_000_000, 192_000)
  var p720 = Quality(1280, 720, 2_800_000, 128_000)
  var p480 = Quality(854, 480, 1_400_000, 96_000)
  var p360 = Quality(640, 360, 800_000, 64_000)
  var p240 = Quality(426, 240, 400_000, 64_000)

  /// Those that are on, with their names in addresses.
  var named: [(name: String, quality: Quality)] {
    [
      ("4k", p2160), ("1080p", p1080), ("720p", p720), ("480p", p480), ("360p", p360),
      ("240p", p240),
    ].filter { !$0.1.isOff }
  }
}

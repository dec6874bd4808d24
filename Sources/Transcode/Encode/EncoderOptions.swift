/// What each encoder of libavcodec calls its speed, its tuning and its keyframes.
enum EncoderOptions {
  /// x264's presets from fast to slow, which are also this program's words for any encoder's.
  private static let presets = [
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
  ]

  /// The private options of an encoder.
  static func of(_ settings: VideoSettings, encoder: String) -> [(String, String)] {
    let tune = settings.tune.isEmpty ? [] : [("tune", settings.tune)]
    switch encoder {
    case "libx264":
      var parameters = "scenecut=0:open-gop=0"
      if settings.fillsBitrate { parameters += ":nal-hrd=cbr:filler=1" }
      // Without it the fastest preset is of another profile, and playlists name the profile.
      if settings.profile == "high" { parameters += ":8x8dct=1" }
      return [("preset", settings.preset)] + tune + [
        ("profile", settings.profile), ("forced-idr", "1"), ("x264-params", parameters),
      ]
    case "libx265":
      let parameters =
        "scenecut=0:open-gop=0:repeat-headers=0:log-level=none:frame-threads=1"
        + (settings.threads > 0 ? ":pools=\(settings.threads)" : "")
      return [("preset", settings.preset)] + tune + [
        ("forced-idr", "1"), ("x265-params", parameters),
      ]
    case "libsvtav1":
      let speed = presets.firstIndex(of: settings.preset).map { "\(12 - $0)" }
      return [("preset", speed ?? settings.preset)]
        + (settings.threads > 0 ? [("svtav1-params", "lp=\(settings.threads)")] : [])
    case "h264_nvenc", "hevc_nvenc":
      let speed = presets.firstIndex(of: settings.preset).map { "p\(min(7, $0 + 1))" }
      return [("preset", speed ?? settings.preset)] + tune + [
        ("forced-idr", "1"), ("no-scenecut", "1"),
      ]
    default:
      return []
    }
  }

  /// Whether an encoder makes a keyframe of a picture when it is told to.
  ///
  /// SVT-AV1 does so at constant quality only, not at a bitrate; of others it is not known. They
  /// begin anew instead.
  static func forcesKeyframes(_ encoder: String) -> Bool {
    ["libx264", "libx265", "h264_nvenc", "hevc_nvenc"].contains(encoder)
  }

  /// Faster presets than one, the next first: two at most.
  static func faster(than preset: String) -> [String] {
    guard let index = presets.firstIndex(of: preset) else { return [] }
    return Array(presets[..<min(index, 2)].reversed())
  }
}

/// The written form of when a program goes back to a camera: `never`, `when_live` or `after:30s`.
enum CameraBack: Equatable, Sendable, CustomStringConvertible {
  case never
  case whenLive
  case after(Duration)

  /// Reads one.
  ///
  /// - Returns: nil where it isn't one, or is longer than an hour.
  init?(_ text: String) {
    switch text.lowercased() {
    case "never": self = .never
    case "when_live": self = .whenLive
    case let words where words.hasPrefix("after:"):
      guard let duration = DurationText.parse(String(words.dropFirst(6))),
        duration <= .seconds(3_600)
      else { return nil }
      self = .after(duration)
    default: return nil
    }
  }

  var description: String {
    switch self {
    case .never: "never"
    case .whenLive: "when_live"
    case .after(let duration): "after:\(DurationText.format(duration))"
    }
  }
}

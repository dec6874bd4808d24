/// The written form of durations: `500ms`, `3s`, `1.5s`, `5m`, `24h`, `7d`.
enum DurationText {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// Reads a duration.
  ///
  /// - Returns: nil where it isn't one; a number without a unit isn't, except 0.
  static func parse(_ text: String) -> Duration? {
    if text == "0" { return .zero }
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let suffix = text.dropFirst(number.count)
    guard let unit = units.first(where: { $0.suffix == suffix }),
      let value = Double(number), value.isFinite
    else { return nil }
    let milliseconds = value * Double(unit.milliseconds)
    guard milliseconds < 1e15 else { return nil }
    return .milliseconds(Int64(milliseconds.rounded()))
  }

  /// Writes a duration in the largest unit that keeps it whole.
  static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    guard milliseconds != 0 else { return "0" }
    let unit = units.last { milliseconds % $0.milliseconds == 0 } ?? units[0]
    return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
  }
}

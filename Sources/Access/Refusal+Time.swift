import Telemetry

extension Refusal {
  /// `2026-11-27 22:34:01 UTC`; a time outside the years that can be written is `a far time`.
  static func time(_ seconds: Int64) -> String {
    guard (0..<253_402_300_800).contains(seconds) else { return "a far time" }
    let text = LogTime(milliseconds: seconds * 1000).rfc3339
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
  }
}

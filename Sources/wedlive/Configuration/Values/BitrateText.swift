/// The written form of bit rates: `64000`, `800k`, `2.8M`; k is 1000, as encoders have it.
enum BitrateText {
  /// Reads a rate in bits per second.
  ///
  /// - Returns: nil where it isn't one, or where it is above 1 Gbit/s.
  static func parse(_ text: String) -> Int? {
    let lower = text.lowercased()
    let factor = lower.hasSuffix("k") ? 1_000.0 : lower.hasSuffix("m") ? 1_000_000.0 : 1
    let number = factor == 1 ? Substring(lower) : lower.dropLast()
    guard !number.isEmpty, number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
      let value = Double(number), value * factor <= 1_000_000_000
    else { return nil }
    return Int((value * factor).rounded())
  }

  /// Writes a rate for people: three digits at the most, and its unit.
  static func rounded(_ bitsPerSecond: UInt64) -> String {
    var value = Double(bitsPerSecond)
    var units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]
    while value >= 999.5, units.count > 1 {
      value /= 1_000
      units.removeFirst()
    }
    let tenths = (value * 10).rounded() / 10
    return value < 9.95 && tenths != tenths.rounded()
      ? "\(tenths) \(units[0])" : "\(Int(value.rounded())) \(units[0])"
  }

  /// Writes a rate, in thousands where that keeps it whole.
  static func format(_ bitsPerSecond: Int) -> String {
    bitsPerSecond > 0 && bitsPerSecond % 1_000 == 0
      ? "\(bitsPerSecond / 1_000)k" : "\(bitsPerSecond)"
  }
}

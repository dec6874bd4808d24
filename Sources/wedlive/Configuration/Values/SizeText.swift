/// The written form of sizes in bytes: `512`, `64k`, `1m`, `2048M`, `4g`; k is 1024.
enum SizeText {
  private static let units: [(suffix: String, shift: Int)] = [("k", 10), ("m", 20), ("g", 30)]

  /// Reads a size.
  ///
  /// - Returns: nil where it isn't one, or where it passes 2^62.
  static func parse(_ text: String) -> Int? {
    let lower = text.lowercased()
    let digits = lower.prefix { $0.isASCII && $0.isNumber }
    let suffix = lower.dropFirst(digits.count)
    guard let number = Int(digits) else { return nil }
    if suffix.isEmpty { return number }
    guard let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << unit.shift)
    return overflow || bytes > 1 << 62 ? nil : bytes
  }

  /// Writes a size in the largest unit that keeps it whole.
  static func format(_ bytes: Int) -> String {
    let unit = units.last { bytes > 0 && bytes % (1 << $0.shift) == 0 }
    return unit.map { "\(bytes >> $0.shift)\($0.suffix)" } ?? "\(bytes)"
  }

  /// Writes about a size, for people: three digits at most, such as `113m`.
  static func rounded(_ bytes: Int) -> String {
    let unit = units.last { bytes >> $0.shift >= 1 }
    return unit.map { "\(bytes >> $0.shift)\($0.suffix)" } ?? "\(bytes)"
  }
}

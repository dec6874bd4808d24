/// Writes moments as ISO 8601 in UTC, to the millisecond.
package enum ProgramDate {
  /// Writes a moment, such as `2026-11-27T22:42:59.123Z`.
  ///
  /// - Parameter milliseconds: since 1970; what lies before is shown as 1970.
  /// - Returns: 24 characters, until the year 9999.
  package static func text(_ milliseconds: Int64) -> String {
    let total = max(0, milliseconds)
    let days = total / 86_400_000
    let inDay = total % 86_400_000
    // Howard Hinnant's days-to-civil, for years that begin in March.
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    let clock =
      "\(digits(inDay / 3_600_000, 2)):\(digits(inDay / 60_000 % 60, 2)):"
      + "\(digits(inDay / 1_000 % 60, 2)).\(digits(inDay % 1_000, 3))"
    return date + "T" + clock + "Z"
  }

  /// Reads a moment as `text` writes it.
  ///
  /// - Parameter text: 24 characters.
  /// - Returns: milliseconds since 1970; nil for anything else.
  package static func milliseconds(_ text: some StringProtocol) -> Int64? {
    let pattern = Array("0000-00-00T00:00:00.000Z".utf8)
    let bytes = Array(text.utf8)
    let zero = UInt8(ascii: "0")
    guard bytes.count == pattern.count else { return nil }
    var numbers: [Int64] = [0]
    for (byte, wanted) in zip(bytes, pattern) {
      if wanted != zero {
        guard byte == wanted else { return nil }
        numbers.append(0)
      } else {
        guard (zero...UInt8(ascii: "9")).contains(byte) else { return nil }
        numbers[numbers.count - 1] = numbers[numbers.count - 1] * 10 + Int64(byte - zero)
      }
    }
    let (year, month, day) = (numbers[0], numbers[1], numbers[2])
    guard year >= 1_970, (1...12).contains(month), (1...31).contains(day), numbers[3] < 24,
      numbers[4] < 60, numbers[5] < 60
    else { return nil }
    // Howard Hinnant's civil-to-days, for years that begin in March.
    let marchYear = month > 2 ? year : year - 1
    let yearOfEra = marchYear % 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let days =
      marchYear / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
      - 719_468
    return ((days * 24 + numbers[3]) * 60 + numbers[4]) * 60_000 + numbers[5] * 1_000 + numbers[6]
  }

  private static func digits(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}

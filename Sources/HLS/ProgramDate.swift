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

  private static func digits(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}

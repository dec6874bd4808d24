import Glibc

/// A wall clock time in milliseconds since 1970, as log lines show it.
package struct LogTime: Sendable, Equatable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// The time now.
  package static var now: LogTime {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return LogTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// `2026-11-27T22:34:01.123Z`.
  package var rfc3339: String {
    let (year, month, day) = date
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(clock)Z"
  }

  /// `22:34:01.123` in the machine's time zone.
  package var local: String {
    var seconds = time_t(milliseconds / 1000)
    var parts = unsafe tm()
    unsafe localtime_r(&seconds, &parts)
    return LogTime(milliseconds: milliseconds + Int64(unsafe parts.tm_gmtoff) * 1000).clock
  }

  private static let millisecondsPerDay: Int64 = 86_400_000

  private var clock: String {
    let time = milliseconds - days * LogTime.millisecondsPerDay
    let seconds = time / 1000
    return "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2))"
      + ":\(padded(seconds % 60, 2)).\(padded(time % 1000, 3))"
  }

  /// Whole days since 1970-01-01, rounded down.
  private var days: Int64 {
    let quotient = milliseconds / LogTime.millisecondsPerDay
    return milliseconds % LogTime.millisecondsPerDay < 0 ? quotient - 1 : quotient
  }

  /// The Gregorian date, counted in eras of 400 years that begin on the first of March.
  private var date: (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

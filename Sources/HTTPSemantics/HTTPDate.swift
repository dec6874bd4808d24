/// A moment as HTTP writes it, to the second (RFC 9110, 5.6.7).
package struct HTTPDate: Equatable, Comparable, Sendable {
  /// Seconds since 1970-01-01T00:00:00Z.
  package var seconds: Int64

  /// Length of the text `Sun, 06 Nov 1994 08:49:37 GMT`.
  package static let textBytes = 29

  package init(seconds: Int64) { self.seconds = seconds }

  package static func < (a: HTTPDate, b: HTTPDate) -> Bool { a.seconds < b.seconds }

  private static let days = Array("SunMonTueWedThuFriSat".utf8)
  private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

  /// The IMF-fixdate text, 29 bytes.
  package var bytes: [UInt8] {
    let day = seconds.quotient(flooring: 86_400)
    let second = Int(seconds - day * 86_400)
    let (year, month, dayOfMonth) = HTTPDate.civil(day)
    let weekday = Int((day + 4) - (day + 4).quotient(flooring: 7) * 7)
    var out: [UInt8] = []
    out.reserveCapacity(HTTPDate.textBytes)
    out += HTTPDate.days[weekday * 3..<weekday * 3 + 3]
    out += [0x2c, 0x20]
    HTTPDate.append(dayOfMonth, digits: 2, to: &out)
    out.append(0x20)
    out += HTTPDate.months[(month - 1) * 3..<month * 3]
    out.append(0x20)
    HTTPDate.append(year, digits: 4, to: &out)
    out.append(0x20)
    HTTPDate.append(second / 3600, digits: 2, to: &out)
    out.append(0x3a)
    HTTPDate.append(second / 60 % 60, digits: 2, to: &out)
    out.append(0x3a)
    HTTPDate.append(second % 60, digits: 2, to: &out)
    out += " GMT".utf8
    return out
  }

  private static func append(_ value: Int, digits: Int, to out: inout [UInt8]) {
    var divisor = digits == 4 ? 1000 : 10
    while divisor > 0 {
      out.append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
      divisor /= 10
    }
  }

  /// Reads any of the three forms: IMF-fixdate, RFC 850, asctime; `nil` for anything else.
  package init?(_ text: borrowing Span<UInt8>) {
    // The numbers, in order, and the month's name are enough to tell the three apart.
    var numbers: [Int] = []
    var month: Int?
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte &- 0x30 < 10 {
        var end = index
        while end < text.count, text[end] &- 0x30 < 10 { end += 1 }
        guard end - index <= 4, let value = text.decimal(in: index..<end) else { return nil }
        numbers.append(value)
        index = end
      } else if asciiLowercase(byte) &- 0x61 < 26 {
        var end = index
        while end < text.count, asciiLowercase(text[end]) &- 0x61 < 26 { end += 1 }
        if month == nil, end - index == 3 {
          month = HTTPDate.month(text.extracting(index..<end))
        }
        index = end
      } else {
        guard byte == 0x20 || byte == 0x2c || byte == 0x3a || byte == 0x2d else { return nil }
        index += 1
      }
    }
    guard let month, numbers.count == 5 else { return nil }
    let isASCTime = numbers[4] > 99 && numbers[1] < 24 && text.count == 24
    let clock = isASCTime ? numbers[1...3] : numbers[2...4]
    var year = isASCTime ? numbers[4] : numbers[1]
    // A two-digit year is of this century, or of the last when that would be far in the future.
    if year < 100, !isASCTime { year += year < 70 ? 2000 : 1900 }
    let hour = clock[clock.startIndex]
    let minute = clock[clock.startIndex + 1]
    let second = clock[clock.startIndex + 2]
    guard (1...31).contains(numbers[0]), hour < 24, minute < 60, second <= 60 else { return nil }
    seconds =
      HTTPDate.dayNumber(year, month, numbers[0]) * 86_400
      + Int64(hour * 3600 + minute * 60 + second)
  }

  private static func month(_ name: borrowing Span<UInt8>) -> Int? {
    for month in 0..<12 {
      var same = true
      for index in 0..<3
      where asciiLowercase(months[month * 3 + index]) != asciiLowercase(name[index]) {
        same = false
      }
      if same { return month + 1 }
    }
    return nil
  }

  /// The proleptic Gregorian date of a day counted from 1970-01-01.
  private static func civil(_ day: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted.quotient(flooring: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (Int(year), Int(month), Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
  }

  /// The day, counted from 1970-01-01, of a proleptic Gregorian date.
  private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = Int64(month <= 2 ? year - 1 : year)
    let era = shifted.quotient(flooring: 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

extension Int64 {
  /// The quotient rounded towards negative infinity.
  fileprivate func quotient(flooring divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

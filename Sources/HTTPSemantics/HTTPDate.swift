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

  /// Reads any of the three forms, in any case: IMF-fixdate, RFC 850, asctime; `nil` for anything
  /// else, as what is no date must not be taken for one (RFC 9110, 5.6.7).
  package init?(_ text: borrowing Span<UInt8>) {
    // The day's name isn't held against the date; its length tells the forms apart.
    var letters = 0
    while letters < text.count, asciiLowercase(text[letters]) &- 0x61 < 26 { letters += 1 }
    let rest = text.extracting(droppingFirst: letters)
    switch letters {
    case 3 where rest.follows(", dd aaa dddd dd:dd:dd gmt"):
      self.init(
        rest, day: 2..<4, month: 5..<8, year: rest.decimal(in: 9..<13) ?? 0, clock: 14)
    case 6...9 where rest.follows(", dd-aaa-dd dd:dd:dd gmt"):
      // Of this century, or of the last when that would be far in the future.
      let year = rest.decimal(in: 9..<11) ?? 0
      self.init(rest, day: 2..<4, month: 5..<8, year: year + (year < 70 ? 2000 : 1900), clock: 12)
    case 3 where rest.follows(" aaa _d dd:dd:dd dddd"):
      self.init(
        rest, day: rest[5] == 0x20 ? 6..<7 : 5..<7, month: 1..<4,
        year: rest.decimal(in: 17..<21) ?? 0, clock: 8)
    default: return nil
    }
  }

  /// Takes the numbers from their places; nil where a number or a name is none of a date.
  private init?(
    _ text: borrowing Span<UInt8>, day: Range<Int>, month: Range<Int>, year: Int, clock: Int
  ) {
    guard let month = HTTPDate.month(text.extracting(month)), let day = text.decimal(in: day),
      let hour = text.decimal(in: clock..<clock + 2),
      let minute = text.decimal(in: clock + 3..<clock + 5),
      let second = text.decimal(in: clock + 6..<clock + 8),
      (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    seconds =
      HTTPDate.dayNumber(year, month, day) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
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

extension Span<UInt8> {
  /// Whether the bytes have a form: `d` a digit, `a` a letter, `_` a digit or a blank, else itself
  /// in any case.
  fileprivate func follows(_ form: StaticString) -> Bool {
    guard count == form.utf8CodeUnitCount else { return false }
    let form = unsafe UnsafeBufferPointer(start: form.utf8Start, count: count)
    for index in 0..<count {
      let byte = asciiLowercase(self[index])
      let isRight =
        switch unsafe form[index] {
        case UInt8(ascii: "d"): byte &- 0x30 < 10
        case UInt8(ascii: "_"): byte &- 0x30 < 10 || byte == 0x20
        case UInt8(ascii: "a"): byte &- 0x61 < 26
        case let other: byte == other
        }
      if !isRight { return false }
    }
    return true
  }
}

extension Int64 {
  /// The quotient rounded towards negative infinity.
  fileprivate func quotient(flooring divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

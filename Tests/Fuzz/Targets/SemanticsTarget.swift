import HTTPSemantics

/// Ranges, dates and lists of a header field's value.
func fuzzSemantics(_ input: [UInt8]) throws(Finding) {
  for length in [0, 1, 7, 1000, Int.max] {
    try checkRange(RangeRequest(input.span, length: length), length: length)
  }
  let ranges = Array("bytes=".utf8) + input
  for length in [0, 1, 7, 1000, Int.max] {
    try checkRange(RangeRequest(ranges.span, length: length), length: length)
  }
  if let date = HTTPDate(input.span) {
    let text = date.bytes
    try check(text.count == HTTPDate.textBytes, "a date of \(text.count) bytes")
    // Years of more than four digits can be meant (a leap second at the end of 9999), not written;
    // those of fewer than three read as of this century.
    if date.seconds < 253_402_300_800, date.seconds >= -59_011_459_200 {
      try check(HTTPDate(text.span) == date, "a date that is written and read is another one")
    }
  }
  var end = 0
  var isOrdered = true
  forEachListElement(input.span) { element in
    isOrdered = isOrdered && element.lowerBound >= end && !element.isEmpty
    end = element.upperBound
  }
  try check(isOrdered && end <= input.count, "list elements overlap")
  if let number = input.span.decimal(in: 0..<input.count) {
    let digits = input.drop { $0 == 0x30 }
    try check(
      String(decoding: digits, as: UTF8.self) == (number == 0 ? "" : "\(number)"), "decimal")
  }
}

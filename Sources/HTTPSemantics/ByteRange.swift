/// What a Range field asks of a representation of known length (RFC 9110, 14).
package enum RangeRequest: Equatable, Sendable {
  /// No usable Range: the whole is sent.
  case whole
  /// One range: 206 with Content-Range.
  case single(Range<Int>)
  /// Several ranges, in the order asked: 206 as multipart/byteranges.
  case several([Range<Int>])
  /// No range overlaps the representation: 416.
  case unsatisfiable

  /// The most ranges that are answered one by one; more of them get the whole.
  package static let mostRanges = 16

  /// Reads a Range value against a representation of `length` bytes.
  ///
  /// A unit other than bytes and a malformed value are ignored, as RFC 9110 14.2 asks; so are
  /// more than `mostRanges` ranges, and several ranges that overlap or ask for more bytes than
  /// there are (14.2's advice against amplification).
  package init(_ value: borrowing Span<UInt8>, length: Int) {
    guard value.count > 6, value.extracting(first: 6).matchesIgnoringCase("bytes=") else {
      self = .whole
      return
    }
    var ranges: [Range<Int>] = []
    var total = 0
    var elements = 0
    var start = 6
    while start <= value.count {
      var end = start
      while end < value.count, value[end] != 0x2c { end += 1 }
      let element = value.trimmedRange(in: start..<end)
      start = end + 1
      if element.isEmpty { continue }
      elements += 1
      guard elements <= RangeRequest.mostRanges else {
        self = .whole
        return
      }
      switch RangeRequest.one(value, element, length) {
      case .malformed:
        self = .whole
        return
      case .outside: break
      case .inside(let range):
        // More than there is, which is an answer, whatever follows.
        guard range.count <= length - total else {
          self = .whole
          return
        }
        ranges.append(range)
        total += range.count
      }
    }
    guard elements > 0 else {
      self = .whole
      return
    }
    switch ranges.count {
    case 0: self = .unsatisfiable
    case 1: self = .single(ranges[0])
    default: self = .several(ranges)
    }
  }

  private enum One {
    case inside(Range<Int>)
    case outside
    case malformed
  }

  private static func one(
    _ value: borrowing Span<UInt8>, _ element: Range<Int>, _ length: Int
  ) -> One {
    var dash = element.lowerBound
    while dash < element.upperBound, value[dash] != 0x2d { dash += 1 }
    guard dash < element.upperBound else { return .malformed }
    let tail = dash + 1..<element.upperBound
    if dash == element.lowerBound {
      // A suffix: the last n bytes. A number that does not fit is more than there are.
      guard !tail.isEmpty, isDigits(value, tail) else { return .malformed }
      let count = value.decimal(in: tail) ?? Int.max
      guard count > 0, length > 0 else { return .outside }
      return .inside(max(0, length - count)..<length)
    }
    let head = element.lowerBound..<dash
    guard isDigits(value, head), isDigits(value, tail) else { return .malformed }
    let first = value.decimal(in: head) ?? Int.max
    if tail.isEmpty { return first < length ? .inside(first..<length) : .outside }
    let last = value.decimal(in: tail) ?? Int.max
    guard last >= first else { return .malformed }
    return first < length ? .inside(first..<min(last, length - 1) + 1) : .outside
  }

  private static func isDigits(_ value: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    for index in range where value[index] &- 0x30 >= 10 { return false }
    return true
  }
}

import HTTPSemantics

/// Which part of a representation a 206 has, and how long the whole is (RFC 9110, 14.4).
package struct ContentRange: Equatable, Sendable {
  package let range: Range<Int>
  /// Of the whole; an answer that doesn't know it is of no use to a cache.
  package let total: Int

  package init(_ range: Range<Int>, total: Int) {
    self.range = range
    self.total = total
  }

  /// Reads a field; nil for anything but bytes of a known whole that they are in.
  ///
  /// - Parameter text: of the field.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    let span = bytes.span
    guard span.count > 6, span.extracting(first: 6).matchesIgnoringCase("bytes ") else {
      return nil
    }
    let value = span.trimmedRange(in: 6..<span.count)
    guard let dash = bytes[value].firstIndex(of: 0x2d), dash > value.lowerBound,
      let slash = bytes[value].firstIndex(of: 0x2f), slash > dash,
      let first = span.decimal(in: value.lowerBound..<dash),
      let last = span.decimal(in: dash + 1..<slash),
      let total = span.decimal(in: slash + 1..<value.upperBound),
      first <= last, last < total
    else { return nil }
    self.init(first..<last + 1, total: total)
  }

  /// As the field is written.
  package var text: String { "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(total)" }
}

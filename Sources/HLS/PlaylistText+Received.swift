import Bytes

extension PlaylistText {
  /// A playlist that another node made, ready to carry a viewer's token.
  ///
  /// Addresses are the lines that are no tags, and the values of `URI="…"` in those that are
  /// (RFC 8216, 4.1 and 4.2).
  ///
  /// - Parameter text: of the playlist; lines end by LF.
  package init(received text: [UInt8]) {
    var ends: [Int] = []
    let span = text.span
    var start = 0
    while start < span.count {
      var end = start
      while end < span.count, span[end] != 0x0A { end += 1 }
      if end > start, span[start] != UInt8(ascii: "#") {
        ends.append(end)
      } else if let quote = Self.addressEnd(span.extracting(start..<end)) {
        ends.append(start + quote)
      }
      start = end + 1
    }
    self.init(AddressedText(text, addressEnds: ends), gzipped: Gzip.compress(span))
  }

  /// Where the address in a tag ends, from the line's start; nil where it has none.
  private static func addressEnd(_ line: borrowing Span<UInt8>) -> Int? {
    let name: StaticString = "URI=\""
    let length = name.utf8CodeUnitCount
    guard line.count > length else { return nil }
    for index in 1...(line.count - length) {
      // A name begins after the tag's colon or another attribute's comma.
      guard line[index - 1] == UInt8(ascii: ":") || line[index - 1] == UInt8(ascii: ",") else {
        continue
      }
      var isName = true
      for offset in 0..<length where isName {
        let expected = unsafe name.utf8Start[offset]
        isName = line[index + offset] == expected
      }
      guard isName else { continue }
      var end = index + length
      while end < line.count, line[end] != UInt8(ascii: "\"") { end += 1 }
      return end < line.count ? end : nil
    }
    return nil
  }
}

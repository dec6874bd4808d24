/// A playlist's text, made once: plain, gzipped, and ready to carry a viewer's token.
package struct PlaylistText: Sendable, Equatable {
  /// UTF-8, lines ended by LF.
  package let plain: [UInt8]
  /// The same, gzipped; nil where it couldn't be made.
  package let gzipped: [UInt8]?
  /// Where each URI ends: a query goes there.
  private let uriEnds: [Int]

  package static let contentType = "application/vnd.apple.mpegurl"

  init(_ writer: PlaylistWriter) {
    let bytes = writer.bytes
    gzipped = Gzip.compress(bytes.span)
    plain = bytes
    uriEnds = writer.uriEnds
  }

  /// The text with a query on each URI, such as `token=…`.
  ///
  /// A splice of what is there: O(length), one allocation.
  /// - Parameter query: without the `?`; must be escaped already. Bytes that could end a line or
  ///   a URI are refused.
  /// - Returns: nil if the query may not stand in a URI.
  package func text(withQuery query: borrowing Span<UInt8>) -> [UInt8]? {
    for index in 0..<query.count where !Self.mayStandInQuery(query[index]) { return nil }
    guard query.count > 0 else { return plain }
    let length = query.count
    return unsafe query.withUnsafeBufferPointer { query in
      var output: [UInt8] = []
      output.reserveCapacity(plain.count + uriEnds.count * (length + 1))
      var start = 0
      for end in uriEnds {
        output.append(contentsOf: plain[start..<end])
        output.append(UInt8(ascii: "?"))
        unsafe output.append(contentsOf: query)
        start = end
      }
      output.append(contentsOf: plain[start...])
      return output
    }
  }

  /// RFC 3986's query characters without the quotes that a playlist's attributes end at.
  private static func mayStandInQuery(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true  // digits and letters
    case 0x21, 0x24...0x2F, 0x3A, 0x3B, 0x3D, 0x3F, 0x40, 0x5F, 0x7E: true
    default: false
    }
  }
}

/// Writes the lines of a playlist, and remembers where URIs end.
struct PlaylistWriter {
  private(set) var bytes: [UInt8] = []
  private(set) var uriEnds: [Int] = []

  init() {
    bytes.reserveCapacity(4_096)
    line("#EXTM3U")
  }

  mutating func line(_ text: String) {
    bytes += text.utf8
    bytes.append(0x0A)
  }

  /// Writes what the segments that follow are encrypted with.
  ///
  /// Without a vector that is the segment's number, another one for each.
  mutating func key(_ key: SegmentKey?) {
    guard let key else { return line("#EXT-X-KEY:METHOD=NONE") }
    bytes += "#EXT-X-KEY:METHOD=AES-128,URI=\"".utf8
    bytes += key.uri.utf8
    uriEnds.append(bytes.count)
    bytes.append(UInt8(ascii: "\""))
    if let vector = key.vector {
      let digits = String(vector, radix: 16)
      bytes += ",IV=0x\(String(repeating: "0", count: max(0, 32 - digits.count)))\(digits)".utf8
    }
    bytes.append(0x0A)
  }

  /// Writes a line that is a URI.
  mutating func uri(_ text: String) {
    bytes += text.utf8
    uriEnds.append(bytes.count)
    bytes.append(0x0A)
  }
}

/// A playlist's text, made once: plain, gzipped, and ready to carry a viewer's token.
package struct PlaylistText: Sendable, Equatable {
  /// Where a viewer's query goes.
  package let addressed: AddressedText
  /// The same, gzipped; nil where it couldn't be made.
  package let gzipped: [UInt8]?

  /// UTF-8, lines ended by LF.
  package var plain: [UInt8] { addressed.bytes }

  package static let contentType = "application/vnd.apple.mpegurl"

  init(_ writer: PlaylistWriter) {
    self.init(
      AddressedText(writer.bytes, addressEnds: writer.uriEnds),
      gzipped: Gzip.compress(writer.bytes.span))
  }

  init(_ addressed: AddressedText, gzipped: [UInt8]?) {
    self.addressed = addressed
    self.gzipped = gzipped
  }

  /// The text with a query on each URI, as `AddressedText` has it.
  package func text(withQuery query: borrowing Span<UInt8>) -> [UInt8]? {
    addressed.text(withQuery: query)
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

/// Several ranges of one body as multipart/byteranges (RFC 9110, 14.6).
final class MultipartSource: BodySource {
  private let body: [UInt8]
  private var pieces: [(bytes: [UInt8], range: Range<Int>)] = []
  private var cursor = 0
  /// What Content-Type says.
  let boundary: String
  let length: Int

  init(_ body: [UInt8], _ ranges: [Range<Int>], contentType: String) {
    self.body = body
    boundary = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
    var length = 0
    for range in ranges {
      let head = Array(
        """
        \r\n--\(boundary)\r\ncontent-type: \(contentType)\r\n\
        content-range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(body.count)\r\n\r\n
        """.utf8)
      pieces.append((head, 0..<head.count))
      pieces.append((body, range))
      length += head.count + range.count
    }
    let tail = Array("\r\n--\(boundary)--\r\n".utf8)
    pieces.append((tail, 0..<tail.count))
    self.length = length + tail.count
  }

  override func next() -> BodyPiece {
    guard cursor < pieces.count else { return .end }
    defer { cursor += 1 }
    return .bytes(pieces[cursor].bytes, pieces[cursor].range)
  }
}

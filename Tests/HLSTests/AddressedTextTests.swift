import Testing

@testable import HLS

@Suite struct `Addressed text` {
  private let text = AddressedText(
    Array("#A\na.ts\n#B\nb.ts\nc.ts".utf8), addressEnds: [7, 15, 20])

  private func whole(_ query: String) -> String? {
    let query = Array(query.utf8)
    return text.text(withQuery: query.span).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `a query stands on each address`() {
    #expect(whole("t=1") == "#A\na.ts?t=1\n#B\nb.ts?t=1\nc.ts?t=1")
    #expect(whole("") == "#A\na.ts\n#B\nb.ts\nc.ts")
    #expect(text.byteCount(withQuery: 3) == whole("t=1")?.utf8.count)
    #expect(text.byteCount(withQuery: 0) == text.bytes.count)
    #expect(whole("t=1\n") == nil)
    #expect(whole("t=\"") == nil)
  }

  @Test(arguments: 1...40)
  func `pieces of any size are the whole`(limit: Int) throws {
    for query in ["", "t=abc"] {
      let bytes = Array(query.utf8)
      let made = text.pieces(withQuery: bytes.span)
      var pieces = try #require(made)
      var joined: [UInt8] = []
      while let piece = pieces.next(limit) {
        #expect(piece.count == limit || pieces.remaining == 0)
        joined += piece
        #expect(pieces.remaining == text.byteCount(withQuery: bytes.count) - joined.count)
      }
      #expect(String(decoding: joined, as: UTF8.self) == whole(query))
    }
  }

  @Test func `a text of nothing has no pieces`() throws {
    let query = Array("t=1".utf8)
    let made = AddressedText([], addressEnds: []).pieces(withQuery: query.span)
    var pieces = try #require(made)
    let piece = pieces.next(10)
    #expect(piece == nil)
  }
}

import Testing

@testable import HLS
@testable import HTTPServer
@testable import Viewers

@Suite struct `Playlist response` {
  private func response(lines: Int) -> PlaylistResponse {
    var writer = PlaylistWriter()
    for line in 0..<lines { writer.uri("\(line)-segment.ts") }
    return PlaylistResponse(PlaylistText(writer), maximumAge: 1, tag: "t")
  }

  private func holder(_ token: String, inQuery: Bool = true) -> Audience {
    .holder(token: Array(token.utf8), inQuery: inQuery)
  }

  @Test func `a long one is put together as it is sent`() throws {
    let playlist = response(lines: 5_000)
    let token = String(repeating: "x", count: 300)
    guard case .streamed(let streamed) = playlist.response(for: holder(token)) else {
      Issue.record("it stands whole in memory")
      return
    }
    let query = Array("token=\(token)".utf8)
    let expected = playlist.text.text(withQuery: query.span)
    #expect(streamed.contentLength == expected?.count)
    var body: [UInt8] = []
    while case .bytes(let bytes, let range) = streamed.source.next() {
      #expect(range.count <= 128 << 10)
      body += bytes[range]
    }
    #expect(body == expected)
    guard case .end = streamed.source.next() else {
      Issue.record("no end")
      return
    }
  }

  @Test func `a short one, and one without a token in its address, are answered at once`() {
    for (lines, audience) in [
      (3, holder("x")), (5_000, .everybody), (5_000, holder("x", inQuery: false)),
      (5_000, holder("no\nquery")),
    ] {
      guard case .prepared = response(lines: lines).response(for: audience) else {
        Issue.record("\(lines) lines are streamed")
        continue
      }
    }
  }
}

import Testing

@testable import HLS

@Suite struct `A playlist that another node made` {
  private let query = Array("token=abc".utf8)

  @Test func `carries a token where the node's own would`() {
    var writer = PlaylistWriter()
    writer.line("#EXT-X-VERSION:6")
    writer.key(SegmentKey(uri: "/api/streams/keys/w/1.key", vector: 7))
    writer.line("#EXTINF:3.000,")
    writer.uri("1-a.ts")
    writer.key(nil)
    writer.uri("2-b.ts")
    let made = PlaylistText(writer)
    let received = PlaylistText(received: made.plain)
    #expect(received == made)
    let text = received.text(withQuery: query.span)
    let expected = made.text(withQuery: query.span)
    #expect(text == expected)
  }

  @Test(arguments: [
    ("", ""), ("\n\n", "\n\n"), ("a.ts", "a.ts?token=abc"), ("#EXTM3U", "#EXTM3U"),
    (
      "#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"9\"\n",
      "#EXT-X-MAP:URI=\"i.mp4?token=abc\",BYTERANGE=\"9\"\n"
    ),
    ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n", "#EXT-X-KEY:METHOD=AES-128,URI=\"k?token=abc\"\n"),
    // An attribute of another name, and one that never ends.
    ("#EXT-X-X:XURI=\"k\"\n", "#EXT-X-X:XURI=\"k\"\n"), ("#X:URI=\"k\n", "#X:URI=\"k\n"),
    ("#X:URI=", "#X:URI="),
  ])
  func `addresses are lines, and URIs of tags`(_ text: String, _ expected: String) {
    let received = PlaylistText(received: Array(text.utf8))
    let made = received.text(withQuery: query.span) ?? []
    #expect(String(decoding: made, as: UTF8.self) == expected)
  }
}

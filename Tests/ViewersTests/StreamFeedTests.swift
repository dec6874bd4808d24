import HLS
import Media
import TestSupport
import Testing

@testable import Viewers

@Suite struct `What nodes tell each other of a stream` {
  private func snapshot(_ version: UInt64 = 7) -> StreamSnapshot {
    StreamSnapshot("anna-ben", version: version, next: 12)
  }

  @Test func `a feed is what it was after a journey`() throws {
    let feed = StreamFeed(snapshot(), launch: "x")
    #expect(StreamFeed(json: feed.json) == feed)
    let made = try #require(
      feed.snapshot(version: 3, interests: [:], anyInterest: RenditionInterest()))
    #expect(made.key == .named("anna-ben"))
    #expect(made.version == 3)
    #expect(made.renditions.map(\.nextSequence) == [12])
    #expect(made.renditions[0].playlist.text.plain == snapshot().renditions[0].playlist.text.plain)
  }

  @Test(arguments: [
    "", "{}", "[]", "{\"wedding\":\"../x\"}",
  ])
  func `what is none is refused`(_ text: String) {
    #expect(StreamFeed(json: Array(text.utf8)) == nil)
  }

  @Test func `names that leave the stream's folder are refused`() {
    var feed = StreamFeed(snapshot(), launch: "x")
    feed.renditions[0].segments = ["../../secret"]
    #expect(StreamFeed(json: feed.json) == nil)
    feed.renditions[0].segments = ["1-a.ts"]
    #expect(StreamFeed(json: feed.json) != nil)
    feed.wedding = "a/b"
    #expect(StreamFeed(json: feed.json) == nil)
  }

  @Test func `nodes know each other by the cluster's secret`() {
    let pass = PeerPass(secret: Array("one".utf8))
    #expect(pass.fits(PeerPass(secret: Array("one".utf8)).token))
    #expect(!pass.fits(PeerPass(secret: Array("two".utf8)).token))
    #expect(!pass.fits(""))
    #expect(!pass.token.contains("one"))
  }

  @Test func `a stream that was asked for as its wedding's program is found by both addresses`() {
    let table = StreamTable()
    let program = StreamKey.named("w", "program")
    let waiting = StreamSnapshot(
      key: program, version: 0, isOver: false, isProgram: true, masters: [], renditions: [])
    table.update(waiting, nil)
    table.update(StreamSnapshot("w", version: 5), askedAs: program, nil)
    for path in ["/hls/w", "/hls/w/main", "/hls/w/program"] {
      let bytes = Array(path.utf8)
      let slot = table.slot(bytes.span)
      #expect(slot?.snapshot.version == 5, "\(path)")
    }
  }
}

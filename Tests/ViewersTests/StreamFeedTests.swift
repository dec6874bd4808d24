import EventLoop
import HLS
import HTTPTypes
import Media
import TestSupport
import Testing

@testable import HTTPServer
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

  @Test(arguments: [-1, 1 << 53, Int.max])
  func `numbers that no stream has are refused`(_ number: Int) {
    var feed = StreamFeed(snapshot(), launch: "x")
    feed.renditions[0].nextSequence = number
    #expect(StreamFeed(json: feed.json) == nil)
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
    table.update(waiting)
    table.update(StreamSnapshot("w", version: 5), askedAs: program)
    for path in ["/hls/w", "/hls/w/main", "/hls/w/program"] {
      let bytes = Array(path.utf8)
      let slot = table.slot(bytes.span)
      #expect(slot?.snapshot.version == 5, "\(path)")
    }
  }

  @Test func `names the lease under which it is told`() throws {
    let own = StreamSnapshot("w", version: 5)
    let first = try #require(Self.told(own.feed("a", epoch: 3)))
    #expect(first.epoch == 3)
    // The node has been granted it anew, with nothing else to tell.
    #expect(Self.told(own.feed("a", epoch: 4))?.epoch == 4)
    #expect(Self.told(own.feed("a"))?.epoch == nil)
    // What another process has told is still that one's.
    let passed = first.snapshot(version: 1, interests: [:], anyInterest: RenditionInterest())
    #expect(Self.told(passed?.feed("b", epoch: 9))?.epoch == 3)
    #expect(Self.told(passed?.feed("b", epoch: 9))?.launch == "a")
  }

  private static func told(_ response: PreparedResponse?) -> StreamFeed? {
    response.flatMap { StreamFeed(json: $0.identity.body) }
  }
}

@Suite struct `Calls that an edge hands on` {
  private let pass = PeerPass(secret: Array("the cluster's".utf8))

  /// Whom the API takes for its client.
  private func client(
    of request: HTTPRequest, believing pass: PeerPass?, at now: Int64 = 1_000
  ) async -> String {
    let call = APICall { request in
      APIResponse.json(.ok, Array(request.client.host.utf8))
    }
    let edge = SocketAddress(host: "192.0.2.1", port: 5) ?? SocketAddress()
    let answer = await PeerCall.believing(pass, clock: { now }, call).handler(
      APIRequest(request: request, client: edge))
    return String(decoding: answer.body, as: UTF8.self)
  }

  @Test func `are their client's, where the edge proves it with the cluster's pass`() async throws {
    var request = HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/api/x")
    let viewer = try #require(SocketAddress(host: "2001:db8::7", port: 9))
    PeerCall.mark(&request, from: viewer, with: pass, now: 1_000)
    #expect(await client(of: request, believing: pass) == "2001:db8::7")
    // Clocks of nodes differ, but what was seen on the way is of no use later.
    #expect(await client(of: request, believing: pass, at: 940) == "2001:db8::7")
    #expect(await client(of: request, believing: pass, at: 1_060) == "2001:db8::7")
    #expect(await client(of: request, believing: pass, at: 1_061) == "192.0.2.1")
    #expect(!request.headerFields.contains { $0.value.contains(pass.token) })
    #expect(await client(of: request, believing: nil) == "192.0.2.1")
    let other = PeerPass(secret: Array("another's".utf8))
    #expect(await client(of: request, believing: other) == "192.0.2.1")
    let name = try #require(HTTPField.Name("Wedlive-Client"))
    request.headerFields[name] = "2001:db8::8"
    #expect(await client(of: request, believing: pass) == "192.0.2.1")
    request.headerFields[name] = "no address"
    #expect(await client(of: request, believing: pass) == "192.0.2.1")
  }

  /// What an origin makes of the addresses that a request tells.
  private func sites(
    of request: HTTPRequest, believing pass: PeerPass?, needsCertificate: Bool = false
  ) async -> String {
    let call = APICall { request in
      APIResponse.json(.ok, Array((PeerCall.sites(of: request.request) ?? "none").utf8))
    }
    let answer = await PeerCall.believing(pass, needsCertificate: needsCertificate, call).handler(
      APIRequest(request: request))
    return String(decoding: answer.body, as: UTF8.self)
  }

  @Test func `tell where the edge has publishers and viewers sent, with a proof`() async throws {
    var request = HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/api/x")
    let name = try #require(HTTPField.Name("Wedlive-Sites"))
    #expect(await sites(of: request, believing: pass) == "none")
    PeerCall.mark(&request, sites: "https://edge rtmp://edge:1935/live", with: pass)
    #expect(await sites(of: request, believing: pass) == "https://edge rtmp://edge:1935/live")
    #expect(await sites(of: request, believing: pass, needsCertificate: true) == "none")
    #expect(await sites(of: request, believing: nil) == "none")
    #expect(await sites(of: request, believing: PeerPass(secret: Array("other".utf8))) == "none")
    let proved = try #require(request.headerFields[name])
    for forged in ["https://evil", proved + " x", "", String(proved.dropFirst())] {
      request.headerFields[name] = forged
      #expect(await sites(of: request, believing: pass) == "none")
    }
    PeerCall.mark(&request, sites: "https://edge", with: pass)
    #expect(await sites(of: request, believing: pass) == "https://edge")
  }
}

import HTTPClient
import HTTPTypes
import Logging
import Media
import Synchronization
import Telemetry
import Testing
import Viewers

@testable import Edge

@Suite struct `Streams that come home` {
  private static let path = "/hls/home/program/source/"

  private func live(_ node: EdgeNode, _ keepers: [Upstream]) throws -> EdgeLive {
    EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge",
      locator: LiveLocator(find: { _ in LiveLocator.Place(keepers) }, keepers: { _ in keepers }),
      metrics: MetricRegistry(), logger: Logger(label: "test"))
  }

  @Test func `all that is listed is here soon, whoever asks for it`() async throws {
    let node = try EdgeNode()
    let live = try live(node, [try #require(Upstream(node.origin.address))])
    defer { live.close() }
    let names = ["7-a.ts", "8-a.ts"]
    for name in names {
      try await node.set("hls/home/program/source/\(name)", "size=9&cc=public%2Cmax-age%3D99")
    }
    let feed = try #require(
      StreamFeed(
        json: Array(
          """
          {"wedding":"home","camera":"program","launch":"a","version":1,"isOver":false,
          "isProgram":true,"masters":[],"programMasters":[],"coming":[],"renditions":[{
          "name":"source","viewers":1,"nextSequence":9,"targetDuration":3,"playlist":"#EXTM3U",
          "segments":["7-a.ts","8-a.ts"]}]}
          """.utf8)))
    let snapshot = try #require(
      feed.snapshot(version: 1, interests: [:], anyInterest: RenditionInterest()))
    live.fetchAll(of: snapshot)
    #expect(
      try await node.eventually {
        names.allSatisfy { node.proxy.has(LiveName.of(Self.path + $0)) }
      })
    // Once is enough.
    live.fetchAll(of: snapshot)
    try await node.set("hls/home/program/source/9-a.ts", "size=9&cc=public%2Cmax-age%3D99")
    for name in names {
      #expect(try await node.count("hls/home/program/source/\(name)") == 1)
    }
  }

  @Test func `what one process hasn't got another one is asked for`() async throws {
    let node = try EdgeNode()
    let other = try ScriptedOrigin()
    let name = "hls/home/program/source/17-a.ts"
    try await node.set(name, "size=9&cc=public%2Cmax-age%3D99")
    let first = try #require(Upstream(other.address))
    let rule = HTTPRequest(
      method: .get, scheme: "http", authority: first.authority, path: "/set/\(name)?status=404")
    _ = try await HTTPClient().send(rule, deadline: .seconds(10), maxResponseBytes: 99)
    let live = try live(node, [first, try #require(Upstream(node.origin.address))])
    defer { live.close() }
    let key = try #require(StreamKey(wedding: "home", camera: "program"))
    let pool = await live.find(key)
    #expect(pool.members.map(\.upstream.authority).first == first.authority)
    // Each of an edge's nodes has all of a stream, or none of it: nobody else is asked there.
    for (isMixed, status) in [(false, 404), (true, 200)] {
      let asked = isMixed ? pool : UpstreamPool(pool.members.map(\.upstream))
      let answer = await withCheckedContinuation { continuation in
        node.proxy.ask(
          live.request("/cluster/\(name)"), name: "live/\(name)/\(isMixed)", isShared: true,
          from: asked, isOwn: true
        ) { continuation.resume(returning: $0) }
      }
      guard case .filling(let fill, _) = answer else {
        Issue.record("\(answer)")
        continue
      }
      #expect(fill.response.status.code == status)
    }
  }
}

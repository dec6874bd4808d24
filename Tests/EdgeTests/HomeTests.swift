import Foundation
import HLS
import HTTPClient
import HTTPTypes
import Logging
import Media
import Synchronization
import Telemetry
import Testing

@testable import Edge
@testable import Viewers

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
    func snapshot(_ segments: String) throws -> StreamSnapshot {
      let text = """
        {"wedding":"home","camera":"program","launch":"a","version":1,"isOver":false,
        "isProgram":true,"masters":[],"programMasters":[],"coming":[],"renditions":[{
        "name":"source","viewers":1,"nextSequence":9,"targetDuration":3,"playlist":"#EXTM3U",
        "segments":[\(segments)]}]}
        """
      let feed = try #require(StreamFeed(json: Array(text.utf8)))
      return try #require(
        feed.snapshot(version: 1, interests: [:], anyInterest: RenditionInterest()))
    }
    let home = HomeStreams(live)
    home.fetchAll(of: try snapshot("\"7-a.ts\",\"8-a.ts\""))
    #expect(
      try await node.eventually {
        names.allSatisfy { node.proxy.has(LiveName.of(Self.path + $0)) }
      })
    // Once is enough: the newest come first, so those have been passed when the one before is here.
    try await node.set("hls/home/program/source/6-a.ts", "size=9&cc=public%2Cmax-age%3D99")
    home.fetchAll(of: try snapshot("\"6-a.ts\",\"7-a.ts\",\"8-a.ts\""))
    #expect(try await node.eventually { node.proxy.has(LiveName.of(Self.path + "6-a.ts")) })
    for name in names {
      #expect(try await node.count("hls/home/program/source/\(name)") == 1)
    }
  }

  /// A stream's source with segments of these numbers.
  private func feed(_ numbers: ClosedRange<Int>, _ launch: String, version: Int) -> String {
    let names = numbers.map { "\($0)-\(launch).ts" }
    let listed = names.map { "#EXTINF:3.000,\\n\($0)\\n" }.joined()
    return """
      {"wedding":"back","camera":"main","launch":"\(launch)","version":\(version),"isOver":false,
      "isProgram":true,"masters":[],"programMasters":[],"coming":[],"renditions":[{
      "name":"source","viewers":1,"nextSequence":\(numbers.upperBound + 1),"targetDuration":3,
      "playlist":"#EXTM3U\\n#EXT-X-MEDIA-SEQUENCE:\(numbers.lowerBound)\\n\(listed)",
      "segments":[\(names.map { "\"\($0)\"" }.joined(separator: ","))]}]}
      """
  }

  private func snapshot(_ numbers: ClosedRange<Int>, version: Int) throws -> StreamSnapshot {
    let feed = try #require(StreamFeed(json: Array(feed(numbers, "b", version: version).utf8)))
    return try #require(
      feed.snapshot(
        version: UInt64(version), interests: [:], anyInterest: RenditionInterest()))
  }

  private func names(_ snapshot: StreamSnapshot) -> [String] {
    snapshot.renditions.flatMap(\.segments).map { String(decoding: $0.name, as: UTF8.self) }
  }

  @Test func `what was carried once is not carried again when its publisher is back`() async throws
  {
    let node = try EdgeNode()
    let live = try live(node, [try #require(Upstream(node.origin.address))])
    defer { live.close() }
    let home = HomeStreams(live)
    let key = try #require(StreamKey(wedding: "back", camera: "main"))
    let body = try #require(
      feed(7...8, "a", version: 1).addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    try await node.set("live/back/main", "body=\(body)")
    for name in ["7-a.ts", "8-a.ts"] {
      try await node.set("hls/back/main/source/\(name)", "size=9&cc=public%2Cmax-age%3D99")
    }
    await home.hear(key, atMost: .seconds(30))
    #expect(
      try await node.eventually {
        node.proxy.has(LiveName.of("/hls/back/main/source/7-a.ts"))
          && node.proxy.has(LiveName.of("/hls/back/main/source/8-a.ts"))
      })
    let first = home.continuing(try snapshot(9...9, version: 1), isFirst: true)
    #expect(names(first) == ["7-a.ts", "8-a.ts", "9-b.ts"])
    let second = home.continuing(try snapshot(9...10, version: 2), isFirst: false)
    #expect(names(second) == ["7-a.ts", "8-a.ts", "9-b.ts", "10-b.ts"])
    // It ends here; nobody else has it any more when it begins again.
    live.close()
    home.forget(key)
    let after = try snapshot(9...10, version: 3)
    #expect(names(home.continuing(after, isFirst: false)) == names(after))
    let again = home.continuing(try snapshot(11...11, version: 4), isFirst: true)
    #expect(names(again) == ["11-b.ts"])
  }

  @Test func `what ends here before anything was made of it ends what was carried`() async throws {
    let node = try EdgeNode()
    let live = try live(node, [try #require(Upstream(node.origin.address))])
    defer { live.close() }
    let home = HomeStreams(live)
    let key = try #require(StreamKey(wedding: "back", camera: "main"))
    let told = feed(7...8, "a", version: 1).replacing(
      "\"masters\":[]",
      with: """
        "masters":[[{"uri":"source/index.m3u8",
        "info":{"bandwidth":1,"averageBandwidth":1,"codecs":[]}}]]
        """)
    let body = try #require(
      told.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    try await node.set("live/back/main", "body=\(body)")
    await home.hear(key, atMost: .seconds(30))
    let own = StreamSnapshot(key: key, version: 9, isOver: true, masters: [nil], renditions: [])
    let ended = home.continuing(own, isFirst: true)
    #expect((ended.isOver, ended.version) == (true, 9))
    #expect(names(ended) == ["7-a.ts", "8-a.ts"])
    let text = ended.renditions.first.map {
      String(decoding: $0.playlist.text.plain, as: UTF8.self)
    }
    #expect(text?.hasSuffix("8-a.ts\n#EXT-X-ENDLIST\n") == true)
    #expect(ended.master(of: 0) != nil)
    // Its publisher comes back after all.
    let after = home.continuing(try snapshot(9...9, version: 10), isFirst: false)
    #expect(!after.isOver)
    #expect(names(after).last == "9-b.ts")
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

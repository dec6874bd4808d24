import Foundation
import HTTPServer
import HTTPTypes
import Ingest
import Media
import Operator
import Origin
import Telemetry
import Testing

@testable import EventLoop
@testable import Viewers
@testable import wedlive

@Suite struct `What an edge says of itself` {
  /// Keeps a stream counted for as long as its loop lives.
  private final class Counted {
    let shares: [StreamTraffic.Share]

    init(_ shares: [StreamTraffic.Share]) { self.shares = shares }
  }

  private func key(_ wedding: String, _ camera: String = "main") throws -> StreamKey {
    try #require(StreamKey(wedding: wedding, camera: camera))
  }

  private func snapshot(_ key: StreamKey) -> StreamSnapshot {
    StreamSnapshot(key: key, version: 1, isOver: false, masters: [], renditions: [])
  }

  @Test func `is what it sends of each stream, how many watch, and whether it is ready`()
    async throws
  {
    let registry = MetricRegistry()
    let ingest = IngestMetrics(registry)
    let viewers = ServerMetrics(registry)
    let traffic = StreamTraffic(limit: 10, metrics: registry)
    let health = Health()
    let loops = try LoopGroup(count: 2)
    defer { loops.stop() }
    let (ana, two) = (try key("ana"), try key("ana", "two"))
    let (first, second) = (snapshot(ana), snapshot(two))
    try await loops.onEach { loop in
      let table = StreamTable()
      table.update(first)
      table.update(second)
      let now = loop.now.nanoseconds / 1_000_000_000
      // One viewer on each loop, and one more of the other camera on the first one.
      table.slot(Array("/hls/ana/main".utf8).span)?.viewers.note(1, now: now)
      if loop.index == 0 { table.slot(Array("/hls/ana/two".utf8).span)?.viewers.note(2, now: now) }
      let server = LoopServer(on: loop, metrics: viewers)
      loop.setLocal(
        ViewerSite(
          table: table, server: server,
          handler: ViewerHandler(
            table: table, gate: ViewerGate(tokens: nil),
            routes: PublicRoutes(
              health: health, api: APICall { _ in .json(.notFound, []) }, page: { _ in nil }))))
      let place = traffic.place()
      let share = traffic.share(of: ana, at: place)
      share.tally(SentBytes.Line(.viewers, "720p")).add(1_000)
      share.tally(SentBytes.Line(.viewers)).add(10)
      loop.setLocal(Counted([share, traffic.share(of: two, at: place)]))
    }
    let status = EdgeStatus(
      identity: StatusCollector.Identity(
        node: "edge-1", region: "fra", version: "1", cipher: "openssl",
        watchBase: "https://h/watch/"),
      health: health, loops: loops.mailboxes, traffic: traffic,
      whole: TrafficMeter(ingest, registry), viewers: viewers.connections,
      publishers: ingest.connections, accepted: ingest.accepted)
    ingest.connections.increment()
    let seen = await status.status()
    #expect(seen.node == "edge-1" && seen.region == "fra" && seen.watchBase == "https://h/watch/")
    #expect(!seen.isReady)
    #expect(seen.rtmpConnections == 1)
    #expect(seen.streams.map(\.name) == ["ana", "ana/two"])
    #expect(seen.streams.map(\.viewers) == [2, 1])
    #expect(
      seen.streams.map(\.sent) == [
        [
          SentStatus(receiver: "viewers", rendition: nil, bytesOut: 20),
          SentStatus(receiver: "viewers", rendition: "720p", bytesOut: 2_000),
        ], [],
      ])
    #expect(seen.streams.map(\.traffic.bytesOut) == [2_020, 0])
    #expect(seen.remark == "the node is starting")
    health.set(unready: nil)
    #expect(await status.status().isReady)
    #expect(await status.status().remark == nil)
    health.set(
      remark: "no upstream answers", detail: "https://a:1: its certificate is another one's")
    #expect(
      await status.status().remark
        == "no upstream answers (https://a:1: its certificate is another one's)")
  }

  @Test func `is found on its admin port: a page, its data, and nginx-rtmp's`() async throws {
    let registry = MetricRegistry()
    let ingest = IngestMetrics(registry)
    let status = EdgeStatus(
      identity: StatusCollector.Identity(node: "edge-1", region: "r", version: "1", cipher: "c"),
      health: Health(), loops: [], traffic: StreamTraffic(limit: 1, metrics: registry),
      whole: TrafficMeter(ingest, registry), viewers: ServerMetrics(registry).connections,
      publishers: ingest.connections, accepted: ingest.accepted)
    var answers: [String: APIResponse] = [:]
    for (path, call) in status.pages {
      let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "\(path)")
      answers["\(path)"] = await call.handler(APIRequest(request: request))
    }
    #expect(answers.values.allSatisfy { $0.response.status == .ok && !$0.body.isEmpty })
    let page = try #require(answers["/"])
    #expect(
      page.response.headerFields[.contentSecurityPolicy]?.contains("script-src 'sha256-") == true)
    let json = try #require(answers["/api/status"])
    let read = try JSONDecoder().decode(NodeStatus.self, from: Data(json.body))
    #expect(read.node == "edge-1" && read.streams.isEmpty)
    let stat = try #require(answers["/stat"])
    #expect(String(decoding: stat.body, as: UTF8.self).contains("<rtmp>"))
  }
}

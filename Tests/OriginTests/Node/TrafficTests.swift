import HTTPTypes
import TestSupport
import Testing
import Viewers

@testable import Origin

@Suite struct `What a node sends of a stream` {
  @Test func `is counted for viewers and for other nodes, each by renditions`() async throws {
    let node = try await TestNode()
    let encoder = Encoder()
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    let name = try #require(try await node.playlist()?.names.last)
    func sent() -> [SentBytes.Line: UInt64] {
      let sent = node.node.traffic.sent(of: .named("w"))
      return Dictionary(uniqueKeysWithValues: sent.map { ($0.line, $0.bytes) })
    }
    let before = sent()
    let peer: HTTPFields = [.authorization: "Bearer \(TestNode.pass.token)"]
    let master = try await node.get("/hls/w/index.m3u8").body.count
    let playlist = try await node.get("/hls/w/program/source/index.m3u8").body.count
    let segment = try await node.get("/hls/w/main/source/\(name)").body.count
    let part = try await node.get(
      "/hls/w/main/source/\(name)", .get, [.range: "bytes=1000-1999"])
    let head = try await node.get("/hls/w/main/source/\(name)", .head)
    let feed = try await node.get("/cluster/live/w/main", .get, peer)
    let copy = try await node.get("/cluster/hls/w/main/source/\(name)", .get, peer)
    let stranger = try await node.get("/cluster/hls/w/main/source/\(name)")
    #expect(part.response.status == .partialContent && part.body.count == 1_000)
    #expect(head.response.status == .ok && head.body.isEmpty)
    #expect(feed.response.status == .ok && !feed.body.isEmpty)
    #expect(copy.body.count == segment && segment > 10_000)
    #expect(stranger.response.status != .ok)
    let expected: [SentBytes.Line: Int] = [
      .init(.viewers): master, .init(.viewers, "source"): playlist + segment + 1_000,
      .init(.nodes): feed.body.count, .init(.nodes, "source"): segment,
    ]
    // The last bytes may be here before they are counted there.
    #expect(
      await eventually {
        expected.allSatisfy { line, bytes in
          (sent()[line] ?? 0) - (before[line] ?? 0) == UInt64(bytes)
        }
      })
    #expect(sent().count == expected.count)
    #expect(node.node.traffic.streams == [.named("w")])
    withExtendedLifetime(publisher) {}
  }
}

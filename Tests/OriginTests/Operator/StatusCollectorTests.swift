import TestSupport
import Viewers
import Access
import Logging
import RTMP
import Store
import Telemetry
import Testing

@testable import Origin

@Suite struct `Status collector` {
  @Test func `a node's status has its streams, and each stream its own clients`() async throws {
    let node = try await TestNode()
    let encoder = Encoder()
    let first = try await node.publish(try node.token())
    await first.send(encoder.headers + encoder.messages(seconds: 7))
    let second = try await node.publish(try node.token(wedding: "v", camera: "c2"))
    await second.send(encoder.headers)
    let player = try await node.connect(.play, "w")
    #expect(await eventually { await player.state.hasStarted })
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    #expect(await eventually { node.node.board[.named("w")]?.playlist?.segments == 2 })
    let locks = WeddingLocks(
      store: MemoryWeddingLocks(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await locks.change("v", isLocked: true)
    let collector = StatusCollector(
      identity: .init(node: "n", region: "r", version: "1", cipher: "openssl"), node: node.node,
      loops: node.mailboxes, metrics: MetricRegistry(), locks: locks)
    // The player's loop hears of the stream from the publisher's.
    #expect(
      await eventually {
        await collector.status().streams.first { $0.name == "w" }?.sent
          .contains { $0.receiver == "players" } == true
      })
    let status = await collector.status()
    #expect(status.isReady)
    #expect(status.rtmpConnections == 3)
    #expect(Set(status.streams.map(\.name)) == ["w", "v/c2"])
    let main = try #require(status.streams.first { $0.name == "w" })
    #expect(main.state == .live)
    #expect(main.viewers == 1)
    #expect(!main.isLocked)
    #expect(main.clients.map(\.isPublishing) == [true, false])
    #expect(main.playlist?.segments == 2)
    #expect(main.video?.height == 180)
    // Playlists over HLS, and all that the player got.
    #expect(main.sent.first { $0.receiver == "viewers" && $0.rendition == "source" } != nil)
    let played = try #require(main.sent.first { $0.receiver == "players" })
    #expect(played.rendition == "source")
    #expect(main.traffic.bytesOut == main.sent.reduce(0) { $0 + $1.bytesOut })
    let other = try #require(status.streams.first { $0.name == "v/c2" })
    #expect(other.viewers == 0)
    #expect(other.isLocked)
    #expect(other.clients.map(\.isPublishing) == [true])
    await player.leave()
    #expect(
      await eventually {
        await collector.status().streams.first { $0.name == "w" }?.clients.count == 1
      })
    #expect(await collector.viewers(of: .named("w")) == 1)
  }
}

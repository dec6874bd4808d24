import EventLoop
import Media
import Synchronization
import TestSupport
import Testing

@testable import Origin

@Suite struct `Origin node, an edge whose connection breaks off` {
  private let encoder = Encoder()

  /// A cluster that grants every stream, and takes it away when it is told to.
  private final class Leases: Sendable {
    private let onLoss = Mutex<(@Sendable () -> Void)?>(nil)

    var leasing: StreamLeasing {
      StreamLeasing(
        acquire: { _, onLoss in
          self.onLoss.withLock { $0 = onLoss }
          return .granted(after: nil)
        }, release: { _, _ in true }, publish: { _, _ in })
    }

    func lose() { onLoss.withLock { $0 }?() }
  }

  /// A node that has two segments and a half of a stream whose relay is gone; it waits for an hour.
  private func node(_ leases: Leases, _ token: (TestNode) throws -> String) async throws -> TestNode
  {
    let node = try await TestNode(leasing: leases.leasing) {
      $0.streams.relayPatience = .seconds(3_600)
    }
    let relay = try await node.publish("\(try token(node))?relay=1")
    await relay.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    await relay.vanish()
    #expect(try await eventually { try await node.isLeaving })
    #expect(try await node.playlist()?.entries.count == 2)
    return node
  }

  @Test func `what is another node's by then is never announced`() async throws {
    let leases = Leases()
    let node = try await node(leases) { try $0.token() }
    leases.lose()
    #expect(try await eventually { try await !node.isLeaving })
    #expect(await eventually { node.node.board[.named("w")]?.state == .waiting })
    #expect(try await node.playlist()?.entries.count == 2)
  }

  @Test func `a publisher that returns has all of it announced`() async throws {
    let leases = Leases()
    var token = ""
    let node = try await node(leases) {
      token = try $0.token()
      return token
    }
    let next = try await node.publish("\(token)?relay=1")
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 3 })
    await next.send(encoder.headers + encoder.messages(seconds: 4))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 4 })
    #expect(
      try await node.playlist()?.entries.map(\.isDiscontinuity) == [false, false, false, true])
  }

  @Test func `who says that the stream ends, and who is no relay, is believed at once`()
    async throws
  {
    let leases = Leases()
    let node = try await TestNode(leasing: leases.leasing) {
      $0.streams.relayPatience = .seconds(3_600)
    }
    for (camera, query, says) in [("a", "?relay=1", true), ("b", "", false)] {
      let publisher = try await node.publish(try node.token(camera: camera) + query)
      await publisher.send(encoder.headers + encoder.messages(seconds: 4))
      #expect(try await eventually { try await node.playlist(of: camera)?.entries.count == 1 })
      if says { await publisher.leave() } else { await publisher.vanish() }
      #expect(try await eventually { try await node.playlist(of: camera)?.entries.count == 2 })
    }
  }
}

extension TestNode {
  /// Whether a stream is leaving any of its loops.
  fileprivate var isLeaving: Bool {
    get async throws {
      let count = Mutex(0)
      try await onEachLoop { loop in
        if !loop.leaving.isEmpty { count.withLock { $0 += 1 } }
      }
      return count.withLock { $0 } > 0
    }
  }
}

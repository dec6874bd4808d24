import Access
import RTMP
import Synchronization
import TestSupport
import Testing

@testable import Origin

@Suite struct `Origin node, the lease of who is being admitted` {
  /// A cluster with one lease, which is granted to whoever asks.
  private final class Cluster: Sendable {
    private let lease = Mutex(false)

    var isHeld: Bool { lease.withLock { $0 } }

    var leasing: StreamLeasing {
      StreamLeasing(
        acquire: { _, _ in
          self.lease.withLock { $0 = true }
          return .granted(after: nil)
        },
        release: { _, isUnwanted in
          self.lease.withLock { isHeld in
            guard isUnwanted() else { return false }
            isHeld = false
            return true
          }
        }, publish: { _, _ in })
    }
  }

  private let cluster = Cluster()
  private let backend = TestBackend()
  private let encoder = Encoder()

  /// A node with a publisher on the air, and a second one about whom the backend is being asked.
  private func scene() async throws -> (node: TestNode, first: Remote, second: Remote) {
    let node = try await TestNode(hooks: backend.publishHooks, leasing: cluster.leasing)
    let token = try node.token()
    let first = try await node.publish(token)
    await first.send(encoder.headers + encoder.messages(seconds: 4))
    await backend.hold()
    let second = try await node.connect(.publish, token)
    #expect(await eventually { await backend.asked.count == 2 })
    return (node, first, second)
  }

  @Test func `it is kept where the publisher before leaves meanwhile`() async throws {
    let (node, first, second) = try await scene()
    await first.vanish()
    #expect(await eventually { await backend.told.count == 1 })
    #expect(cluster.isHeld)
    await backend.answer(try #require(await backend.asked.last))
    #expect(await eventually { await second.state.hasStarted })
    #expect(cluster.isHeld)
    await second.leave()
    #expect(await eventually { !cluster.isHeld })
    await node.node.settle()
  }

  @Test func `it is given up with one that the backend refuses`() async throws {
    let (node, first, second) = try await scene()
    await first.vanish()
    #expect(await eventually { await backend.told.count == 1 })
    await backend.answer(try #require(await backend.asked.last), Refusal(.byBackend(status: 403)))
    #expect(await eventually { !cluster.isHeld })
    #expect(await !second.state.hasStarted)
    await node.node.settle()
  }

  @Test func `one that is refused doesn't take it from who is on the air`() async throws {
    let (node, _, _) = try await scene()
    await backend.answer(try #require(await backend.asked.last), Refusal(.byBackend(status: 403)))
    await node.node.settle()
    #expect(cluster.isHeld)
  }
}

import Access
import HTTPServer
import RTMP
import Testing

@testable import Origin

@Suite struct `Node health` {
  @Test func `a node is ready once it is said to be, and not after a reason why not`() {
    let health = Health()
    #expect(!health.isReady)
    #expect(health.readiness.status == 503)
    health.set(unready: nil)
    #expect(health.isReady)
    #expect(health.readiness.status == 200)
    health.set(unready: "the node is stopping")
    #expect(!health.isReady)
    #expect(health.readiness.status == 503)
  }

  @Test func `a node that takes nothing new refuses publishers, and sends them on`() async throws {
    let node = try await TestNode()
    node.node.health.set(unready: "the node is stopping")
    let publisher = try await node.connect(.publish, try node.token())
    #expect(await eventually { await publisher.state.isOver })
    #expect(
      await publisher.state.refusal?.text
        == "this server takes no new streams now; connect to another one")
  }
}

import Access
import HTTPTypes
import RTMP
import Testing

@testable import HTTPServer
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

  @Test func `a fault is told while streams go on, and a node that stops says that instead`() {
    let health = Health()
    health.set(unready: nil)
    health.set(fault: "The data folder /data can't be written: no room")
    #expect(!health.isReady)
    #expect(health.takesPublishers)
    #expect(health.readiness.status == 503)
    let words = String(decoding: health.readiness.identity.body, as: UTF8.self)
    #expect(words.contains("The data folder /data can't be written: no room. Streams go on."))
    health.set(unready: "the node is stopping")
    #expect(!health.takesPublishers)
    #expect(
      String(decoding: health.readiness.identity.body, as: UTF8.self).contains("is stopping"))
    health.set(unready: nil)
    health.set(fault: nil)
    #expect(health.isReady)
    #expect(health.readiness.status == 200)
  }

  @Test func `a node with a fault takes publishers`() async throws {
    let node = try await TestNode()
    node.node.health.set(fault: "The data folder /data can't be written: no room")
    let publisher = try await node.publish(try node.token())
    #expect(await publisher.state.refusal == nil)
    #expect(try await node.get("/readyz").response.status == .serviceUnavailable)
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

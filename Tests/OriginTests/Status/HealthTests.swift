import Operator
import Access
import HTTPTypes
import RTMP
import Testing

@testable import HTTPServer
@testable import Origin

@Suite struct `Publishers of a node that isn't well` {
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

import Testing

@testable import EventLoop

@Suite struct `Handshake queue` {
  private func id(_ slot: Int) -> ChannelID { ChannelID(slot: slot, generation: 1) }

  @Test func `the oldest gives way, and those that are over are passed over`() {
    var queue = HandshakeQueue()
    for slot in 0..<5 { queue.add(id(slot)) }
    queue.remove(id(0))
    queue.remove(id(2))
    queue.remove(id(9))
    #expect(queue.count == 3)
    #expect(queue.removeOldest() == id(1))
    #expect(queue.removeOldest() == id(3))
    queue.add(id(5))
    #expect(queue.removeOldest() == id(4))
    #expect(queue.removeOldest() == id(5))
    #expect(queue.removeOldest() == nil)
    #expect(queue.count == 0)
  }

  @Test func `it keeps no more than what is open`() {
    var queue = HandshakeQueue()
    for slot in 0..<100_000 {
      queue.add(id(slot))
      queue.remove(id(slot))
    }
    #expect(queue.count <= 1)
    #expect(
      Mirror(reflecting: queue).children.contains { ($0.value as? [ChannelID])?.count ?? 0 > 200 }
        == false)
  }
}

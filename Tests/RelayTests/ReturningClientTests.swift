import EventLoop
import Testing

@testable import Relay

@Suite struct `Clients that come back` {
  private func address(_ host: String, port: UInt16 = 1) throws -> SocketAddress {
    try #require(SocketAddress(host: host, port: port))
  }

  @Test func `each connection that ended is remembered once, whatever its port`() throws {
    let clients = ReturningClients(memory: .seconds(60))
    let (ana, ben) = (try address("192.0.2.1"), try address("192.0.2.2"))
    clients.left(ana, "o1")
    clients.left(ana, "o2")
    clients.left(ben, "o3")
    #expect(clients.origin(of: try address("192.0.2.1", port: 9)) == "o2")
    #expect(clients.origin(of: ana) == "o1")
    #expect(clients.origin(of: ana) == nil)
    #expect(clients.origin(of: ben) == "o3")
  }

  @Test func `it is forgotten in time, and for want of room`() throws {
    let clients = ReturningClients(memory: .seconds(60), capacity: 3)
    let now = MonotonicTime.now
    let ana = try address("2001:db8::1")
    clients.left(ana, "o1", at: now)
    #expect(clients.origin(of: ana, at: now + .seconds(61)) == nil)
    for number in 0..<5 { clients.left(try address("192.0.2.\(number)"), "o", at: now) }
    let known = try (0..<5).filter {
      clients.origin(of: try address("192.0.2.\($0)"), at: now) != nil
    }
    #expect(known == [2, 3, 4])
  }
}

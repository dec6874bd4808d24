import EventLoop
import Glibc
import Testing

@testable import wedlive

@Suite struct `What a process inherits` {
  @Test func `is told and read`() throws {
    var inheritance = Inheritance(link: 3, lock: 4)
    inheritance.elders = [9, 10]
    inheritance.places = [
      "listen.https": .init(address: "[::]:8443", descriptors: [5, 6]),
      "listen.admin": .init(address: "127.0.0.1:9113", descriptors: [7, 8]),
    ]
    #expect(Inheritance(inheritance.text) == inheritance)
    #expect(inheritance.descriptors == [3, 4, 9, 10, 7, 8, 5, 6])
    let moved = inheritance.renumbered { $0 + 100 }
    #expect(moved.descriptors == inheritance.descriptors.map { $0 + 100 })
    #expect(moved.places["listen.https"]?.address == "[::]:8443")
  }

  @Test(arguments: [
    "", "link=3", "lock=4", "link=3 lock=x", "link=3 lock=4 listen.http=5", "link=1 lock=4",
    "link=3 lock=4 elder=", "link=3 lock=4 listen.http=@[::]:80", "link=-3 lock=4", "link=3,=4",
  ])
  func `is not guessed`(text: String) {
    #expect(Inheritance(text) == nil)
  }

  private func listening(_ place: SocketAddress) throws -> Inheritance.Place {
    let socket = try Socket.listening(on: place)
    let address = "\(socket.localAddress)"
    return .init(address: address, descriptors: [socket.release()])
  }

  @Test func `sockets are taken where the endpoint is the same, with more for more loops`() throws {
    let loopback = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    let place = try listening(loopback)
    let port = SocketAddress(local: place.descriptors[0]).port
    let taken = try #require(
      try ListenerSockets.open(
        "listen.http", .on(host: "127.0.0.1", port: port), count: 3, given: place))
    #expect(taken.descriptors.count == 3)
    #expect(taken.descriptors.first == place.descriptors.first)
    #expect("\(taken.address)" == place.address)
    // The others listen only once their loop has them.
    var listens: Int32 = 1
    var size = socklen_t(MemoryLayout<Int32>.size)
    unsafe getsockopt(taken.descriptors[1], SOL_SOCKET, SO_ACCEPTCONN, &listens, &size)
    #expect(listens == 0)
    #expect(taken.descriptors(of: 1) == [taken.descriptors[1]])
    unsafe getsockopt(taken.descriptors[1], SOL_SOCKET, SO_ACCEPTCONN, &listens, &size)
    #expect(listens == 1)
    for descriptor in taken.descriptors { close(descriptor) }
  }

  @Test func `a loop has all sockets that would be nobody's`() throws {
    let loopback = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    var place = try listening(loopback)
    let real = SocketAddress(local: place.descriptors[0])
    for _ in 0..<2 { place.descriptors.append(try Socket.listening(on: real).release()) }
    let taken = try #require(
      try ListenerSockets.open(
        "listen.http", .on(host: "127.0.0.1", port: real.port), count: 2, given: place))
    #expect(taken.descriptors(of: 0) == [place.descriptors[0], place.descriptors[2]])
    #expect(taken.descriptors(of: 1) == [place.descriptors[1]])
    for descriptor in taken.descriptors { close(descriptor) }
  }

  @Test func `sockets of another endpoint are closed`() throws {
    let loopback = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    let place = try listening(loopback)
    #expect(
      try ListenerSockets.open("listen.http", .off, count: 1, given: place) == nil)
    #expect(fcntl(place.descriptors[0], F_GETFD) == -1)
  }

  @Test func `a message is read as it was written, and nothing else is one`() {
    var message = UpgradeMessage(.bequest)
    message.tickets = [[1, 2], [3]]
    #expect(UpgradeMessage(json: message.json) == message)
    #expect(UpgradeMessage(json: []) == nil)
    #expect(UpgradeMessage(json: Array("{\"kind\":\"other\",\"version\":1}".utf8)) == nil)
    let long = [UInt8](repeating: UInt8(ascii: " "), count: UpgradeMessage.mostBytes)
    #expect(UpgradeMessage(json: long + message.json) == nil)
  }
}

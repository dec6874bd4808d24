import EventLoop
import Testing

@Suite struct `Network list` {
  private func address(_ host: String) throws -> SocketAddress {
    try #require(SocketAddress(host: host, port: 1))
  }

  @Test(arguments: [
    ("10.1.2.3", true), ("11.0.0.0", false), ("192.168.7.200", true), ("192.168.8.1", false),
    ("::1", true), ("::2", false), ("2001:db8::5", true), ("2001:db9::5", false),
    ("::ffff:10.9.9.9", true),
  ])
  func `an address is in a network by its leading bits`(host: String, isIn: Bool) throws {
    let list = try #require(
      NetworkList(["10.0.0.0/8", "192.168.0.0/21", "::1", "2001:db8::/32"]))
    #expect(list.contains(try address(host)) == isIn)
  }

  @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "x", "::/129", "10.0.0.0/"])
  func `what is no network is refused`(text: String) {
    #expect(NetworkList([text]) == nil)
  }

  @Test func `nobody is in an empty list`() throws {
    #expect(!NetworkList().contains(try address("127.0.0.1")))
    #expect(NetworkList(["0.0.0.0/0"])?.contains(try address("8.8.8.8")) == true)
  }
}

import EventLoop
import Testing

@Suite struct `PROXY protocol header` {
  private static let signature: [UInt8] = [
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
  ]

  private static func version2(
    _ command: UInt8, _ family: UInt8, _ payload: [UInt8]
  ) -> [UInt8] {
    signature + [0x20 | command, family, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
      + payload
  }

  private static let four: [UInt8] = [192, 0, 2, 7, 192, 0, 2, 1, 0x15, 0xb3, 1, 0xbb]

  private func parse(_ bytes: [UInt8]) -> ProxyHeader.Outcome { ProxyHeader.parse(bytes.span) }

  @Test func `of version 1 is read at its last byte and not before`() {
    let line = Array("PROXY TCP4 192.0.2.7 192.0.2.1 5555 443\r\n".utf8)
    for cut in 0..<line.count { #expect(parse(Array(line[..<cut])) == .incomplete) }
    let source = SocketAddress(host: "192.0.2.7", port: 5555)
    #expect(parse(line + [1, 2]) == .complete(length: line.count, source: source))
  }

  @Test(arguments: [107, 108, 109, 400])
  func `of version 1 is 107 bytes at most, in one piece or in many`(length: Int) {
    let start = Array("PROXY UNKNOWN ".utf8)
    let filler = [UInt8](repeating: 0x61, count: length - start.count - 2)
    let line = start + filler + [0x0d, 0x0a]
    let fits = ProxyHeader.Outcome.complete(length: length, source: nil)
    #expect(parse(line) == (length <= 107 ? fits : .malformed))
    #expect(parse(Array(line.prefix(106))) == (length <= 107 ? .incomplete : .malformed))
  }

  @Test func `of version 2 is read at its last byte and not before`() {
    let block = Self.version2(1, 0x11, Self.four + [3, 0, 1, 9])
    for cut in 0..<block.count { #expect(parse(Array(block[..<cut])) == .incomplete) }
    let source = SocketAddress(host: "192.0.2.7", port: 5555)
    #expect(parse(block + [1]) == .complete(length: block.count, source: source))
  }

  @Test func `tells IPv6 clients`() {
    let source = SocketAddress(host: "2001:db8::7", port: 5555)
    let line = Array("PROXY TCP6 2001:db8::7 2001:db8::1 5555 443\r\n".utf8)
    #expect(parse(line) == .complete(length: line.count, source: source))
    let from: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]
    let block = Self.version2(1, 0x21, from + from + [0x15, 0xb3, 1, 0xbb])
    #expect(parse(block) == .complete(length: block.count, source: source))
  }

  @Test func `may say nothing about the client`() {
    let line = Array("PROXY UNKNOWN ffff whatever\r\n".utf8)
    #expect(parse(line) == .complete(length: line.count, source: nil))
    for block in [
      Self.version2(0, 0x11, Self.four), Self.version2(1, 0, []),
      Self.version2(1, 0x31, [UInt8](repeating: 0, count: 216)), Self.version2(0, 0, [1, 2, 3]),
    ] {
      #expect(parse(block) == .complete(length: block.count, source: nil))
    }
  }

  @Test(arguments: [
    Array("GET / HTTP/1.1\r\n".utf8), Array("PROXY TCP4 192.0.2.7\r\n".utf8),
    Array("PROXY TCP4 192.0.2.7 192.0.2.1 5555 443\n".utf8),
    Array("PROXY TCP4 192.0.2.7 192.0.2.1 65536 443\r\n".utf8),
    Array("PROXY TCP4 192.0.2.7 192.0.2.1 05 443\r\n".utf8),
    Array("PROXY TCP6 192.0.2.7 192.0.2.1 5555 443\r\n".utf8),
    Array("PROXY TCP4  192.0.2.7 192.0.2.1 5555 443\r\n".utf8),
    Array("PROXY UDP4 192.0.2.7 192.0.2.1 5555 443\r\n".utf8),
    Array("PROXY TCP4 192.0.2.300 192.0.2.1 5555 443\r\n".utf8),
    Array(("PROXY UNKNOWN " + String(repeating: "a", count: 107)).utf8),
    version2(2, 0x11, four), version2(1, 0x41, four), version2(1, 0x13, four),
    version2(1, 0x11, [1, 2, 3]), version2(1, 0x21, four),
    signature.dropLast() + [0x0b], signature + [0x31, 0x11, 0, 12],
    signature + [0x21, 0x11, 0xff, 0xff],
  ]) func `with a reserved or impossible value is refused`(bytes: [UInt8]) {
    #expect(parse(bytes) == .malformed)
  }

  @Test func `what is made can be read`() throws {
    for (client, server, length) in [
      ("203.0.113.9", "192.0.2.1", 28), ("2001:db8::7", "2001:db8::1", 52),
      ("203.0.113.9", "2001:db8::1", 52),
    ] {
      let source = try #require(SocketAddress(host: client, port: 51_234))
      let destination = try #require(SocketAddress(host: server, port: 1935))
      let block = ProxyHeader.version2(source: source, destination: destination)
      guard case .complete(let size, let read) = parse(block) else {
        Issue.record("\(client) can't be read")
        continue
      }
      // Between families an IPv4 address is a mapped one.
      #expect(size == length)
      #expect(read?.host == client && read?.port == 51_234)
    }
  }
}

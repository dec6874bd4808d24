import HTTP2
import HTTPSemantics
import Testing

@Suite struct `The head of an HTTP/2 response` {
  private static let long = [UInt8](repeating: 7, count: 40_000)

  /// A peer that has asked for `/` on stream 1, and answers by hand.
  private func asking(_ more: [UInt8] = []) throws -> Peer {
    let peer = try Peer(Peer.workspace())
    peer.answersByItself = false
    peer.receive(
      Frames.preface + Frames.settings([(4, 1 << 20)]) + Frames.windowUpdate(0, 1 << 20)
        + Frames.request(1, "/") + more)
    return peer
  }

  /// The header block of a stream, from behind what is said of the table's size.
  private func block(_ peer: Peer, _ stream: Int32) throws -> [UInt8] {
    let heads = peer.frames.filter { $0.type == 1 && $0.stream == stream }
    #expect(heads.count == 1)
    var block = try #require(heads.first).payload[...]
    while let first = block.first, first & 0xe0 == 0x20 {
      let isLong = first & 0x1f == 0x1f
      block.removeFirst()
      if isLong {
        while try #require(block.first) & 0x80 != 0 { block.removeFirst() }
        block.removeFirst()
      }
    }
    return Array(block)
  }

  /// Reads literals without an index whose names stand in them, up to the end (RFC 7541, 6.2.2).
  private func literals(_ block: ArraySlice<UInt8>) throws -> [String] {
    var rest = block
    func length() throws -> Int {
      let first = rest.popFirst()
      var length = try Int(#require(first))
      #expect(length < 128, "nothing is coded by Huffman")
      guard length == 127 else { return length }
      var shift = 0
      while let byte = rest.popFirst() {
        length += Int(byte & 0x7f) << shift
        shift += 7
        if byte & 0x80 == 0 { break }
      }
      return length
    }
    func text() throws -> String {
      let count = try length()
      defer { rest = rest.dropFirst(count) }
      return String(decoding: rest.prefix(count), as: UTF8.self)
    }
    var fields: [String] = []
    while let kind = rest.popFirst() {
      #expect(kind == 0)
      fields.append(try "\(text()): \(text())")
    }
    return fields
  }

  @Test(arguments: [0, 1, 126, 127, 128, 254, 255, 256, 300, 3_500])
  func `has literal fields where the body is streamed or long`(count: Int) throws {
    let value = String(repeating: "v", count: count)
    for isStreamed in [false, true] {
      let peer = try asking()
      let head = HeaderBlock(status: 200, fields: [("content-type", value), ("x", "y")])
      if isStreamed {
        peer.pieces[1] = [.bytes(Self.long, 0..<40_000), .end]
        #expect(peer.session?.respondStreaming(1, head: head, common: peer.common) == true)
      } else {
        peer.session?.respond(
          1, head: head, common: peer.common, body: Self.long, range: 0..<40_000)
      }
      peer.produce()
      let block = try block(peer, 1)
      #expect(block.first == 0x88)
      #expect(
        try literals(block.dropFirst()) == ["content-type: \(value)", "x: y", "server: test"])
      #expect(peer.data(1) == Self.long)
    }
  }

  @Test func `is the table's where the body is short, whatever came between`() throws {
    let peer = try asking(Frames.request(3, "/") + Frames.request(5, "/"))
    peer.session?.respond(1, head: peer.head, common: peer.common, body: [1], range: 0..<1)
    peer.produce()
    peer.session?.respond(
      3, head: peer.head, common: peer.common, body: Self.long, range: 0..<40_000)
    peer.produce()
    peer.session?.respond(5, head: peer.head, common: peer.common, body: [2], range: 0..<1)
    peer.produce()
    #expect(try block(peer, 1).count > 10)
    #expect(try literals(block(peer, 3).dropFirst()).count == 2)
    // Status, type and server, each by its place.
    let last = try block(peer, 5)
    #expect(last.count == 3)
    #expect(last.allSatisfy { $0 & 0x80 != 0 })
  }

  @Test func `is the table's where it is large`() throws {
    let peer = try asking()
    let value = String(repeating: "v", count: 5_000)
    let head = HeaderBlock(status: 200, fields: [("content-type", value)])
    peer.session?.respond(
      1, head: head, common: peer.common, body: Self.long, range: 0..<40_000)
    peer.produce()
    let block = try block(peer, 1)
    #expect(block[0] == 0x88)
    #expect(block[1] != 0)
    #expect(peer.data(1) == Self.long)
  }

  /// A head with a field of libnghttp2's own table, so that each is one byte, over and over.
  private func many(_ count: Int) -> HeaderBlock {
    HeaderBlock(
      status: 200, fields: Array(repeating: ("accept-encoding", "gzip, deflate"), count: count))
  }

  @Test(arguments: [63, 64, 150, 256, 318])
  func `has all of its fields, however many an upstream may send`(count: Int) throws {
    for isStreamed in [false, true] {
      let peer = try asking()
      if isStreamed {
        peer.pieces[1] = [.bytes([1], 0..<1), .end]
        // As one that was told to go on: the fields then go through the table.
        peer.session?.sendContinue(1)
        #expect(peer.session?.respondStreaming(1, head: many(count), common: peer.common) == true)
      } else {
        peer.session?.respond(1, head: many(count), common: peer.common, body: [1], range: 0..<1)
      }
      peer.produce()
      let block = try #require(peer.frames.last { $0.type == 1 }).payload
      #expect(block.filter { $0 == 0x90 }.count == count)
      #expect(peer.data(1) == [1])
    }
  }

  @Test func `that is too large to be sent resets its stream, and no other`() throws {
    let peer = try asking()
    let head = HeaderBlock(status: 200, fields: [("x", String(repeating: "v", count: 70_000))])
    for number in 0..<Int32(100) {
      let stream = 2 * number + 1
      if number > 0 { peer.receive(Frames.request(stream, "/")) }
      if number.isMultiple(of: 2) {
        peer.session?.respond(stream, head: head, common: peer.common, body: [1], range: 0..<1)
      } else {
        peer.pieces[stream] = [.bytes([1], 0..<1), .end]
        let isBegun = peer.session?.respondStreaming(stream, head: head, common: peer.common)
        #expect(isBegun == true)
      }
      peer.produce()
      #expect(peer.frames.last?.type == 3)
      #expect(peer.frames.last?.stream == stream)
      #expect(peer.frames.last?.code == 2)
      #expect(peer.session?.violation == nil)
      #expect(peer.session?.openStreams == 0)
      #expect(peer.session?.responsesInProgress == 0)
    }
    peer.receive(Frames.request(201, "/"))
    peer.session?.respond(201, head: peer.head, common: peer.common, body: [1], range: 0..<1)
    peer.produce()
    #expect(peer.data(201) == [1])
  }

  @Test func `that takes several frames is whole, whatever others send between them`() throws {
    let workspace = try Peer.workspace()
    let peers = try (0..<2).map { _ in try Peer(workspace) }
    let alone = try Peer(Peer.workspace())
    let head = HeaderBlock(status: 200, fields: [("x", String(repeating: "v", count: 48_000))])
    for peer in peers + [alone] {
      peer.answersByItself = false
      peer.receive(Frames.preface + Frames.settings() + Frames.request(1, "/"))
      peer.session?.respond(1, head: head, common: peer.common, body: [1], range: 0..<1)
    }
    alone.produce()
    for _ in 0..<20 { for peer in peers { peer.produce(1) } }
    #expect(alone.frames.filter { $0.type == 9 }.count > 1)
    #expect(alone.frames.last?.payload == [1])
    for peer in peers { #expect(peer.frames == alone.frames) }
  }

  @Test func `that has more fields than any is none, and its stream is reset`() throws {
    let peer = try asking(Frames.request(3, "/"))
    peer.pieces[3] = [.end]
    #expect(
      peer.session?.respond(
        1, head: many(319), common: peer.common, body: [1], range: 0..<1) == false)
    #expect(
      peer.session?.respondStreaming(3, head: many(4_000), common: peer.common) == false)
    peer.produce()
    #expect(peer.frames.filter { $0.type == 3 }.map(\.stream) == [1, 3])
    #expect(peer.frames.allSatisfy { $0.type != 1 })
    #expect(peer.session?.responsesInProgress == 0)
  }

  @Test func `has its fields, and not one that tells a client to go on`() throws {
    let peer = try asking()
    peer.pieces[1] = [.bytes([1], 0..<1), .end]
    peer.session?.sendContinue(1)
    #expect(peer.session?.respondStreaming(1, head: peer.head, common: peer.common) == true)
    peer.produce()
    let heads = peer.frames.filter { $0.type == 1 }
    #expect(heads.count == 2)
    #expect(heads[0].payload.count < 12)
    #expect(heads[1].payload.count > 12)
    #expect(peer.data(1) == [1])
  }

  @Test func `goes alone where the body is to wait`() throws {
    let peer = try asking(Frames.request(3, "/"))
    for stream in [1, 3] as [Int32] {
      peer.pieces[stream] = [.bytes([1, 2], 0..<2), .end]
      #expect(
        peer.session?.respondStreaming(stream, head: peer.head, common: peer.common, waits: true)
          == true)
    }
    peer.produce()
    #expect(peer.session?.mayHaveMore == false)
    #expect(peer.frames.filter { $0.type == 1 }.map(\.stream) == [1, 3])
    #expect(peer.pieces[1]?.count == 2)
    peer.session?.resume(1)
    peer.session?.beginBody(3)
    // Not there: nothing begins.
    peer.session?.beginBody(5)
    peer.produce()
    #expect(peer.data(1) == [])
    #expect(peer.data(3) == [1, 2])
    #expect(peer.closedStreams == [3])
    peer.receive(Frames.rst(1))
    peer.session?.beginBody(1)
    peer.produce()
    #expect(peer.data(1) == [])
    #expect(peer.closedStreams == [3, 1])
    #expect(peer.session?.responsesInProgress == 0)
  }

  @Test func `is followed by all that there is, and whoever asks is told when no more is left`()
    throws
  {
    let peer = try asking(Frames.request(3, "/"))
    for stream in [1, 3] as [Int32] {
      peer.session?.respond(
        stream, head: peer.head, common: peer.common, body: Self.long, range: 0..<40_000)
    }
    var calls = 0
    repeat {
      peer.produce(1)
      calls += 1
    } while peer.session?.mayHaveMore == true && calls < 100
    #expect(calls < 100)
    #expect(peer.data(1) == Self.long)
    #expect(peer.data(3) == Self.long)
    let produced = peer.output.count
    peer.produce()
    #expect(peer.output.count == produced)
  }
}

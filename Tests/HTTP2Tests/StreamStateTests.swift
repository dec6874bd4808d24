import HTTP2
import Testing

private let trailers = Frames.frame(
  1, flags: Frames.endHeaders | Frames.endStream, stream: 1, Frames.field("a", "b"))

/// What RFC 9113, 5.1 and 6.3 say of frames that come at the wrong time.
@Suite struct `HTTP/2 stream states` {
  private func say(_ input: [UInt8]...) throws -> (peer: Peer, violation: HTTP2Violation?) {
    let peer = try Peer(Peer.workspace())
    #expect(peer.receive(Frames.preface + Frames.settings()) == nil)
    for bytes in input.dropLast() {
      #expect(peer.receive(bytes) == nil)
      peer.produce()
    }
    return (peer, peer.receive(input.last ?? []))
  }

  @Test(arguments: [
    Frames.data(1, [1]), Frames.data(1, [], end: true), Frames.request(1, "/"), trailers,
  ]) func `more of a stream that its client has ended ends the connection`(more: [UInt8]) throws {
    for beginning in [
      Frames.request(1, "/"),
      Frames.request(1, "/", method: "POST", end: false) + Frames.data(1, [1], end: true),
      Frames.request(1, "/", method: "POST", end: false) + trailers,
      Frames.request(1, "/", method: "POST", end: false) + Frames.rst(1),
    ] {
      let result = try say(beginning, more)
      #expect(result.violation == .closedStream)
      let goodbye = try #require(result.peer.session?.goodbye(.closedStream))
      #expect(ReceivedFrame.all(goodbye).first?.code == 5)
      // Also where both come at once, and where others were opened in between.
      #expect(try say(beginning + more).violation == .closedStream)
      #expect(try say(beginning, Frames.request(127, "/"), more).violation == .closedStream)
    }
  }

  @Test func `what was on its way when the server ended a stream does not`() throws {
    // A field in capitals has it reset by us.
    let bad = Frames.request(1, "/", method: "POST", Frames.field("Bad", "x"), end: false)
    for more in [Frames.data(1, [1]), Frames.data(1, [], end: true), trailers] {
      let result = try say(bad, more, Frames.request(3, "/"))
      #expect(result.violation == nil)
      #expect(result.peer.requests.last == "GET /")
    }
  }

  @Test func `trailers end a request`() throws {
    let result = try say(
      Frames.request(1, "/", method: "POST", end: false), Frames.data(1, [1]), trailers)
    #expect(result.violation == nil)
    #expect(result.peer.ended == [1])
  }

  @Test func `a stream that was passed over is not opened later`() throws {
    #expect(try say(Frames.request(5, "/"), Frames.request(3, "/")).violation == .protocolError)
    #expect(try say(Frames.request(3, "/"), Frames.request(5, "/")).violation == nil)
    #expect(
      try say(Frames.request(1, "/"), Frames.request(127, "/"), Frames.request(3, "/")).violation
        == .protocolError)
  }

  @Test func `streams of long ago are passed over`() throws {
    let result = try say(
      Frames.request(1, "/"), Frames.request(129, "/"), Frames.request(1, "/"),
      Frames.data(1, [1]), Frames.request(0x7fff_ffff, "/"), Frames.request(129, "/"))
    #expect(result.violation == nil)
    #expect(result.peer.requests.count == 3)
  }

  @Test func `a priority is of a stream, and of another one than itself`() throws {
    let onItself = Frames.frame(2, stream: 3, Frames.big(3) + [15])
    let exclusively = Frames.frame(2, stream: 3, Frames.big(0x8000_0003) + [15])
    #expect(try say(Frames.priority(0)).violation == .protocolError)
    #expect(try say(onItself).violation == .protocolError)
    #expect(try say(exclusively).violation == .protocolError)
    #expect(try say(Frames.priority(3)).violation == nil)
    // It is judged by its first 13 bytes.
    for cut in 1..<13 {
      let result = try say(
        Frames.priority(1) + Array(onItself[..<cut]), Array(onItself[cut...]))
      #expect(result.violation == .protocolError)
    }
  }
}

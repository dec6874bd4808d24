import HTTP2
import HTTPSemantics
import Testing

/// Each attack of its own kind ends the session with the budget's name.
@Suite struct `HTTP/2 floods` {
  /// Sends `frame(i)` until the session refuses, at most `most` times.
  private func flood(
    _ most: Int, _ change: (inout HTTP2Limits) -> Void = { _ in },
    before: [UInt8] = [], _ frame: (Int32) -> [UInt8]
  ) throws -> (violation: HTTP2Violation?, sent: Int, peer: Peer) {
    let peer = try Peer(Peer.workspace(change))
    peer.receive(Frames.preface + Frames.settings() + before)
    for index in 0..<most {
      if let violation = peer.receive(frame(Int32(index))) {
        return (violation, index, peer)
      }
      peer.produce()
      if let violation = peer.session?.violation { return (violation, index, peer) }
    }
    return (nil, most, peer)
  }

  @Test func `of resets are refused`() throws {
    let result = try flood(1000) { Frames.request($0 * 2 + 1, "/") + Frames.rst($0 * 2 + 1) }
    #expect(result.violation == .resetsReceived || result.violation == .flooded)
    #expect(result.sent <= 210)
  }

  @Test func `of faults that make us reset are refused`() throws {
    // A window beyond 2^31 is a stream error each time (MadeYouReset), so is a field in capitals.
    let result = try flood(1000) {
      Frames.request($0 * 2 + 1, "/", method: "POST", end: false)
        + Frames.windowUpdate($0 * 2 + 1, 0x7fff_ffff)
    }
    let other = try flood(1000) { Frames.request($0 * 2 + 1, "/", Frames.field("Bad", "x")) }
    #expect(other.violation == .resetsSent)
    #expect(result.violation == .resetsSent)
    #expect(result.sent <= 60)
  }

  @Test func `of faults are refused also where nobody reads the answers`() throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(Frames.preface + Frames.settings())
    var violation: HTTP2Violation?
    var sent: Int32 = 0
    while violation == nil, sent < 1_000 {
      violation = peer.receive(Frames.request(sent * 2 + 1, "/", Frames.field("Bad", "x")))
      sent += 1
    }
    #expect(violation == .resetsSent)
    #expect(sent <= 60)
  }

  @Test func `a malformed header block leaves nothing open`() throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(Frames.preface + Frames.settings())
    peer.receive(Frames.request(1, "/", Frames.field("Bad", "x")))
    peer.produce()
    #expect(peer.session?.isInsideHeaders == false)
    #expect(peer.session?.openStreams == 0)
    peer.receive(Frames.request(3, "/"))
    #expect(peer.requests == ["GET /"])
  }

  @Test func `of settings are refused`() throws {
    let result = try flood(1000) { _ in Frames.settings() }
    #expect(result.violation == .settings)
    #expect(result.sent <= 21)
  }

  @Test func `of pings are refused`() throws {
    let result = try flood(1000) { _ in Frames.ping() }
    #expect(result.violation == .pings)
    #expect(result.sent <= 51)
  }

  @Test func `of pings that nobody reads the answers of are refused`() throws {
    let peer = try Peer(Peer.workspace { $0.pings.burst = 10_000 })
    peer.receive(Frames.preface + Frames.settings())
    var violation: HTTP2Violation?
    for _ in 0..<1000 where violation == nil { violation = peer.receive(Frames.ping()) }
    #expect(violation == .flooded)
  }

  @Test func `of priorities are refused`() throws {
    let result = try flood(1000) { Frames.priority($0 * 2 + 1) }
    #expect(result.violation == .priorities)
  }

  @Test func `of window updates are refused`() throws {
    let result = try flood(5000) { _ in Frames.windowUpdate(0, 1) }
    #expect(result.violation == .windowUpdates)
    #expect(result.sent <= 2001)
  }

  @Test func `of empty data frames are refused`() throws {
    let open = Frames.request(1, "/", method: "POST", end: false)
    let peer = try Peer(Peer.workspace())
    peer.answersByItself = false
    peer.receive(Frames.preface + Frames.settings() + open)
    var violation: HTTP2Violation?
    for _ in 0..<1000 where violation == nil { violation = peer.receive(Frames.data(1, [])) }
    #expect(violation == .emptyFrames)
  }

  @Test func `of frames of unknown types are refused`() throws {
    let result = try flood(1000) { _ in Frames.frame(0xee, [1, 2, 3]) }
    #expect(result.violation == .emptyFrames)
  }

  @Test func `of continuations are refused`() throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(Frames.preface + Frames.settings())
    var violation = peer.receive(Frames.frame(1, stream: 1, Frames.block("/")))
    var sent = 0
    while violation == nil, sent < 1000 {
      violation = peer.receive(Frames.frame(9, stream: 1, Frames.field("a", "b")))
      sent += 1
    }
    #expect(violation != nil)
    #expect(sent <= 10)
  }

  @Test func `of header fields are refused`() throws {
    for fields in [
      (0..<101).flatMap { Frames.field("x-\($0)", "v") },
      (0..<101).flatMap { Frames.field("cookie", "c\($0)=v") },
      Frames.field("x", String(repeating: "v", count: 16_300)),
    ] {
      let peer = try Peer(Peer.workspace())
      let violation = peer.receive(
        Frames.preface + Frames.settings() + Frames.request(1, "/", fields))
      #expect(violation == .headerList)
      #expect(peer.requests == [])
    }
  }

  @Test func `of references to one large field are refused`() throws {
    // The "HTTP/2 bomb": 4 KB in the table, then one byte for each copy.
    let large = Frames.indexed("x", String(repeating: "v", count: 3900))
    let peer = try Peer(Peer.workspace())
    let violation = peer.receive(
      Frames.preface + Frames.settings()
        + Frames.request(1, "/", large + Array(repeating: 0xbe, count: 50)))
    #expect(violation == .headerList)
  }

  @Test(arguments: [
    Array("GET / HTTP/1.1\r\n\r\n".utf8),
    Frames.preface + Frames.data(1, [1]),
    Frames.preface + Frames.settings() + Frames.frame(0, stream: 0, [1]),
    Frames.preface + Frames.settings() + Frames.frame(9, stream: 1, [1]),
    Frames.preface + Frames.settings() + Frames.frame(1, flags: 5, stream: 1, [0xff, 0xff, 0xff]),
    Frames.preface + Frames.settings() + Frames.frame(6, [1]),
    Frames.preface + Frames.settings() + Frames.windowUpdate(0, 0),
    Frames.preface + Frames.settings() + Frames.request(2, "/"),
  ]) func `and what is not HTTP/2 end with a GOAWAY`(input: [UInt8]) throws {
    let peer = try Peer(Peer.workspace())
    if let violation = peer.receive(input) {
      let goodbye = try #require(peer.session?.goodbye(violation))
      #expect(ReceivedFrame.all(goodbye).first?.type == 7)
    } else {
      peer.produce()
      #expect(peer.frames.contains { $0.type == 7 && $0.code != 0 })
      #expect(peer.session?.isFinished == true)
    }
    #expect(peer.requests == [])
  }

  @Test func `are forgiven to a peer that takes its time`() throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(Frames.preface + Frames.settings())
    for second in 1...200 as ClosedRange<UInt64> {
      for _ in 0..<4 { #expect(peer.receive(Frames.ping(), at: second * 1000) == nil) }
      peer.produce()
    }
  }

  @Test func `say ENHANCE_YOUR_CALM and the last stream`() throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(Frames.preface + Frames.settings() + Frames.request(5, "/"))
    let frame = try #require(peer.session.map { ReceivedFrame.all($0.goodbye(.pings)) }?.first)
    #expect(frame.payload == [0, 0, 0, 5, 0, 0, 0, 11])
  }
}

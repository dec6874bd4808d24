import HTTP2
import HTTPSemantics
import Testing

@Suite struct `HTTP/2 session` {
  private static let large: [UInt8] = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

  @Test func `answers requests in one record`() throws {
    let peer = try Peer(Peer.workspace())
    peer.answers["/a"] = Array("alpha".utf8)
    peer.receive(
      Frames.preface + Frames.settings() + Frames.request(1, "/a") + Frames.request(3, "/b"))
    peer.produce()
    #expect(peer.requests == ["GET /a", "GET /b"])
    #expect(peer.records.count == 1)
    #expect(peer.data(1) == Array("alpha".utf8))
    #expect(peer.data(3) == Array("none".utf8))
    #expect(peer.frames.filter { $0.status == 200 }.map(\.stream) == [1, 3])
    #expect(peer.session?.openStreams == 0)
    #expect(peer.session?.responsesInProgress == 0)
  }

  @Test func `takes its input cut at any byte`() throws {
    let cookie =
      Frames.field("cookie", "a=1") + Frames.field("x", String(repeating: "v", count: 200))
    let input =
      Frames.preface + Frames.settings() + Frames.request(1, "/a", cookie)
      + Frames.request(3, "/post", method: "POST", end: false) + Frames.data(3, [1, 2, 3])
      + Frames.data(3, [4], end: true) + Frames.ping()
    let workspace = try Peer.workspace()
    for cut in 1..<input.count {
      let peer = try Peer(workspace)
      #expect(peer.receive(Array(input[..<cut])) == nil)
      peer.produce()
      // Another session in between uses the same buffers.
      let other = try Peer(workspace)
      #expect(other.receive(input) == nil)
      other.produce()
      #expect(peer.receive(Array(input[cut...])) == nil)
      peer.produce()
      for peer in [peer, other] {
        #expect(peer.requests == ["GET /a", "POST /post"])
        #expect(peer.bodies[3] == [1, 2, 3, 4])
        #expect(peer.data(1) == Array("none".utf8))
      }
    }
  }

  @Test func `a host that isn't the authority makes a request malformed`() throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(
      Frames.preface + Frames.settings()
        + Frames.request(1, "/evil", Frames.field("host", "evil.example"))
        + Frames.request(3, "/longer", Frames.field("host", "localhost.evil"))
        + Frames.request(5, "/same", Frames.field("host", "LocalHost")))
    #expect(peer.errors == [.malformed(.host), .malformed(.host)])
    #expect(peer.requests == ["GET /same"])
  }

  @Test func `fills TLS records with frames`() throws {
    let peer = try Peer(Peer.workspace())
    peer.answers["/"] = Self.large
    peer.receive(
      Frames.preface + Frames.settings([(4, 1 << 20)]) + Frames.windowUpdate(0, 1 << 20)
        + Frames.request(1, "/"))
    peer.produce()
    #expect(peer.records == [16_384, 16_384, 16_384, peer.output.count - 3 * 16_384])
    #expect(peer.data(1) == Self.large)
  }

  @Test func `waits for the window and holds nothing meanwhile`() throws {
    let peer = try Peer(Peer.workspace())
    peer.answers["/"] = Self.large
    peer.receive(Frames.preface + Frames.settings([(4, 0)]) + Frames.request(1, "/"))
    peer.produce()
    #expect(peer.data(1) == [])
    #expect(peer.session?.responsesInProgress == 1)
    for _ in 0..<6 {
      peer.receive(Frames.windowUpdate(1, 10_000) + Frames.windowUpdate(0, 10_000))
      peer.produce()
    }
    #expect(peer.data(1) == Self.large)
    #expect(peer.session?.responsesInProgress == 0)
  }

  @Test func `shares one frame buffer without mixing bytes`() throws {
    let workspace = try Peer.workspace()
    let peers = try (0..<4).map { _ in try Peer(workspace) }
    for (index, peer) in peers.enumerated() {
      peer.answers["/"] = Self.large.map { $0 &+ UInt8(index) }
      peer.receive(Frames.preface + Frames.settings([(4, 50_000)]))
      for stream in stride(from: Int32(1), to: 11, by: 2) {
        peer.receive(Frames.request(stream, "/"))
      }
    }
    for round in 0..<200 {
      for peer in peers {
        if round % 3 == 0 {
          peer.receive(Frames.windowUpdate(0, 5000))
          for stream in stride(from: Int32(1), to: 11, by: 2)
          where peer.data(stream).count < Self.large.count {
            peer.receive(Frames.windowUpdate(stream, 3000))
          }
        }
        peer.produce(1)
      }
    }
    for (index, peer) in peers.enumerated() {
      for stream in stride(from: Int32(1), to: 11, by: 2) {
        #expect(peer.data(stream) == Self.large.map { $0 &+ UInt8(index) })
      }
    }
  }

  @Test func `sends a streamed body as it comes`() throws {
    let peer = try Peer(Peer.workspace())
    peer.pieces[1] = [.bytes([9, 1, 2, 9], 1..<3), .pending, .bytes([3], 0..<1), .end]
    peer.pieces[3] = [.bytes([1], 0..<1), .failed]
    peer.receive(
      Frames.preface + Frames.settings() + Frames.request(1, "/") + Frames.request(3, "/"))
    peer.produce()
    #expect(peer.data(1) == [1, 2])
    #expect(peer.closedStreams == [3])
    #expect(peer.frames.contains { $0.type == 3 && $0.stream == 3 })
    peer.session?.resume(1)
    peer.produce()
    #expect(peer.data(1) == [1, 2, 3])
    #expect(peer.closedStreams == [3, 1])
  }

  /// A peer whose POST on stream 1 is answered before its body has come.
  private func answeredEarly(length: Int = 3) throws -> Peer {
    let peer = try Peer(Peer.workspace())
    peer.answersEarly = true
    peer.receive(
      Frames.preface + Frames.settings()
        + Frames.request(
          1, "/", method: "POST", Frames.field("content-length", "\(length)"), end: false))
    peer.produce()
    #expect(peer.data(1) == Array("none".utf8))
    #expect(!peer.frames.contains { $0.type == 3 })
    #expect(peer.session?.responsesInProgress == 0)
    #expect(peer.session?.awaitsEnds == true)
    return peer
  }

  @Test func `tells a client that was answered early to stop sending`() throws {
    let peer = try answeredEarly(length: 1 << 20)
    peer.receive(Frames.data(1, Array(repeating: 1, count: 16_384)))
    peer.produce()
    #expect(!peer.frames.contains { $0.type == 3 })
    peer.receive(Frames.data(1, [1]))
    peer.produce()
    #expect(peer.frames.contains { $0.type == 3 && $0.stream == 1 && $0.code == 0 })
    #expect(peer.session?.openStreams == 0)
    #expect(peer.session?.awaitsEnds == false)
  }

  @Test func `lets a client that was answered early end a small body`() throws {
    let peer = try answeredEarly()
    peer.receive(Frames.data(1, [1, 2, 3], end: true))
    peer.produce()
    #expect(!peer.frames.contains { $0.type == 3 || $0.type == 7 })
    #expect(peer.session?.openStreams == 0)
    #expect(peer.session?.awaitsEnds == false)
  }

  @Test func `still judges the body of a client that was answered early`() throws {
    let peer = try answeredEarly()
    peer.receive(Frames.data(1, [1, 2, 3, 4]))
    peer.produce()
    #expect(peer.frames.filter { $0.type == 3 }.map(\.code) == [1])
    #expect(peer.session?.openStreams == 0)
  }

  @Test func `waits no longer for bodies when its owner says so, or when it ends`() throws {
    let peer = try answeredEarly()
    peer.session?.endAnswered()
    peer.produce()
    peer.receive(Frames.request(3, "/", method: "POST", end: false))
    peer.produce()
    #expect(peer.session?.openStreams == 1)
    peer.receive(Frames.request(5, "/", method: "POST", end: false))
    peer.session?.shutDown()
    peer.produce()
    #expect(peer.frames.filter { $0.type == 3 && $0.code == 0 }.map(\.stream) == [1, 3, 5])
    #expect(peer.session?.isFinished == true)
  }

  @Test func `forgets a stream that was reset before its answer`() throws {
    let peer = try Peer(Peer.workspace())
    peer.answersByItself = false
    peer.receive(
      Frames.preface + Frames.settings() + Frames.request(1, "/") + Frames.rst(1))
    #expect(peer.closedStreams == [1])
    let answered = peer.session?.respond(
      1, head: peer.head, common: peer.common, body: [1], range: 0..<1)
    #expect(answered == false)
    #expect(peer.session?.responsesInProgress == 0)
  }

  @Test func `lets go of everything when it ends early`() throws {
    let workspace = try Peer.workspace()
    weak var head: HeaderBlock?
    let peer = try Peer(workspace)
    do {
      let block = HeaderBlock(status: 200, fields: [("x", "y")])
      head = block
      peer.head = block
    }
    peer.answers["/"] = Self.large
    peer.receive(Frames.preface + Frames.settings([(4, 0)]) + Frames.request(1, "/"))
    // And a header block that never ends.
    peer.receive(Frames.frame(1, stream: 3, Frames.block("/x")))
    peer.produce()
    peer.end()
    peer.head = HeaderBlock(status: 200, fields: [])
    #expect(head == nil)
  }

  @Test func `refuses streams beyond the limit`() throws {
    let peer = try Peer(Peer.workspace { $0.concurrentStreams = 2 })
    peer.answersByItself = false
    peer.receive(Frames.preface + Frames.settings())
    peer.produce()
    peer.receive(Frames.frame(4, flags: 1))
    for stream in [1, 3, 5] as [Int32] { peer.receive(Frames.request(stream, "/")) }
    peer.produce()
    #expect(peer.requests.count == 2)
    #expect(peer.frames.contains { $0.type == 7 && $0.code == 1 })
  }

  @Test(arguments: ["/..", "/%00", "/a%2fb"]) func `reports a bad path`(path: String) throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(Frames.preface + Frames.settings() + Frames.request(1, path))
    #expect(peer.errors.count == 1)
    #expect(peer.requests == [])
  }

  @Test func `ends in two steps`() throws {
    let peer = try Peer(Peer.workspace())
    peer.receive(Frames.preface + Frames.settings() + Frames.request(1, "/"))
    peer.session?.announceShutdown()
    peer.produce()
    peer.receive(Frames.request(3, "/"))
    peer.session?.shutDown()
    peer.produce()
    peer.receive(Frames.request(5, "/"))
    peer.produce()
    #expect(peer.requests.count == 2)
    #expect(peer.frames.filter { $0.type == 7 }.map { $0.payload[3] } == [0xff, 3])
    #expect(peer.session?.isFinished == true)
  }
}

import BlockingSupport
import EventLoop
import HTTPServer
import Testing

@Suite(.blocking) struct `Held requests` {
  private static let news = PreparedResponse(fields: [], body: Array("news".utf8))

  /// Waits until `count` requests are held.
  private func waitFor(_ count: Int, _ server: TestServer) -> Bool {
    server.eventually { server.metric("wedlive_http_held_requests") == count }
  }

  @Test func `are answered when they are released`() async throws {
    let handlers = Handlers()
    let server = try TestServer(handler: { handlers.make() })
    let one = try TestClient(plain: server.plainPort)
    let two = try TestClient(
      tls: server.tlsPort, trusting: server.certificate, protocols: ["h2"])
    one.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\nGET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
    two.send(
      Frames.preface + Frames.settings() + Frames.request(1, "/hold")
        + Frames.request(3, "/hold"))
    #expect(waitFor(3, server))
    let released = try await server.onLoop { server in
      let tokens = handlers.tokens
      let first = tokens.map { server.release($0, with: Self.news) }
      return first + tokens.map { server.release($0, with: Self.news) }
    }
    #expect(released == [true, true, true, false, false, false])
    #expect(one.response()?.text == "news")
    #expect(one.response()?.text == "0123456789")
    #expect(two.h2Body(1) == Array("news".utf8))
    #expect(two.h2Body(3) == Array("news".utf8))
  }

  /// A body of some pieces.
  private final class Pieces: BodySource {
    private var left = ["a ", "longer ", "story"]

    override func next() -> BodyPiece {
      guard !left.isEmpty else { return .end }
      let piece = Array(left.removeFirst().utf8)
      return .bytes(piece, 0..<piece.count)
    }
  }

  @Test func `are answered piece by piece, too`() async throws {
    let handlers = Handlers()
    let server = try TestServer(handler: { handlers.make() })
    let one = try TestClient(plain: server.plainPort)
    let two = try TestClient(
      tls: server.tlsPort, trusting: server.certificate, protocols: ["h2"])
    one.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\nGET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
    two.send(Frames.preface + Frames.settings() + Frames.request(1, "/hold"))
    #expect(waitFor(2, server))
    try await server.onLoop { server in
      for token in handlers.tokens {
        server.release(
          token,
          with: .streamed(
            StreamedResponse(status: 200, fields: [], contentLength: 14, source: Pieces())))
      }
    }
    #expect(one.response()?.text == "a longer story")
    #expect(one.response()?.text == "0123456789")
    #expect(two.h2Body(1) == Array("a longer story".utf8))
  }

  @Test func `are let go with their connection`() async throws {
    let handlers = Handlers()
    let server = try TestServer(handler: { handlers.make() })
    let one = try TestClient(plain: server.plainPort)
    let two = try server.http2()
    one.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(waitFor(1, server))
    two.send(Frames.request(1, "/hold"))
    #expect(waitFor(2, server))
    try await server.onLoop { server in
      for (token, response) in zip(handlers.tokens, [nil, ReadyResponse.prepared(Self.news)]) {
        server.letGo(token, with: response)
        // Nobody is told twice.
        server.letGo(token, with: response)
      }
    }
    // What it would have got in the end.
    let response = try #require(one.response())
    #expect(response.text.contains("\"code\":\"timeout\""))
    #expect(response["connection"] == "close")
    #expect(one.rest() == [])
    #expect(two.frame { $0.type == 7 } != nil)
    #expect(two.h2Body(1) == Array("news".utf8))
    _ = two.rest()
    #expect(server.eventually { server.closed("drained") == 2 })
    #expect(waitFor(0, server))
  }

  @Test func `are answered when their time is over`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    let response = try #require(client.get("/hold?ms=30"))
    #expect(response.status == 503)
    #expect(response.text.contains("\"code\":\"timeout\""))
    #expect(client.get("/digits")?.status == 200)
  }

  @Test func `are forgotten when the client goes`() async throws {
    let handlers = Handlers()
    let server = try TestServer(handler: { handlers.make() })
    var plain: TestClient? = try TestClient(plain: server.plainPort)
    let secure = try TestClient(
      tls: server.tlsPort, trusting: server.certificate, protocols: ["h2"])
    plain?.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n")
    secure.send(Frames.preface + Frames.settings() + Frames.request(1, "/hold"))
    #expect(waitFor(2, server))
    secure.send(Frames.rst(1))
    #expect(waitFor(1, server))
    plain?.reset()
    plain = nil
    #expect(waitFor(0, server))
    let released = try await server.onLoop { server in
      handlers.tokens.map { server.release($0, with: Self.news) }
    }
    #expect(released == [false, false])
  }

  @Test func `are bounded in number`() throws {
    let server = try TestServer { $0.maximumHeldRequests = 2 }
    let waiting = try (0..<2).map { _ in try TestClient(plain: server.plainPort) }
    for client in waiting { client.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n") }
    #expect(waitFor(2, server))
    let client = try TestClient(plain: server.plainPort)
    #expect(client.get("/hold")?.status == 503)
    #expect(waitFor(2, server))
  }
}

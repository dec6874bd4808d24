import BlockingSupport
import EventLoop
import HTTPServer
import Testing

@Suite(.blocking) struct `HTTP/2 server` {
  @Test func `a large response arrives whole over many streams`() throws {
    let server = try TestServer()
    let client = try server.http2(settings: [(4, 1 << 20)])
    client.send(Frames.windowUpdate(0, 1 << 30))
    let streams = (0..<20).map { Int32($0 * 2 + 1) }
    for stream in streams { client.send(Frames.request(stream, "/segment.ts")) }
    for stream in streams {
      #expect(client.h2Body(stream) == PagesHandler.segment)
      #expect(client.h2Status(stream) == 200)
    }
  }

  @Test func `conditions, ranges, HEAD and errors work as over HTTP/1.1`() throws {
    let server = try TestServer()
    let client = try server.http2()
    client.send(Frames.request(1, "/digits", Frames.field("if-none-match", "\"ten\"")))
    client.send(Frames.request(3, "/digits", Frames.field("range", "bytes=2-4")))
    client.send(Frames.request(5, "/digits", method: "HEAD"))
    client.send(Frames.request(7, "/nothing"))
    client.send(Frames.request(9, "/.%2e/x"))
    client.send(Frames.request(11, "/list.m3u8", Frames.field("accept-encoding", "gzip")))
    #expect(client.h2Body(1) == [])
    #expect(client.h2Status(1) == 304)
    #expect(client.h2Body(3) == Array("234".utf8))
    #expect(client.h2Status(3) == 206)
    #expect(client.h2Body(5) == [])
    #expect(client.h2Status(5) == 200)
    #expect(client.h2Body(7)?.isEmpty == false)
    #expect(client.h2Status(7) == 404)
    #expect(client.h2Body(9)?.isEmpty == false)
    #expect(client.h2Status(9) == 400)
    #expect(client.h2Body(11) == Array("gzip".utf8))
  }

  @Test func `a body reaches an asynchronous handler`() throws {
    let server = try TestServer()
    let client = try server.http2()
    client.send(Frames.request(1, "/echo", method: "POST", end: false))
    client.send(Frames.data(1, Array("hel".utf8)) + Frames.data(1, Array("lo".utf8), end: true))
    client.send(Frames.request(3, "/echo"))
    #expect(client.h2Body(1) == Array("hello".utf8))
    #expect(client.h2Body(3) == [])
  }

  @Test func `a body beyond the limit is refused, and the others go on`() throws {
    let server = try TestServer()
    let client = try server.http2()
    client.send(Frames.request(1, "/echo", method: "POST", end: false))
    for _ in 0..<4 {
      // Two frames are half a window, and half a window is given back.
      let part = Frames.data(1, [UInt8](repeating: 1, count: 16_384))
      client.send(part + part)
      _ = client.frame { $0.type == 8 || ($0.type < 2 && $0.stream == 1) }
    }
    client.send(Frames.request(3, "/digits"))
    #expect(client.h2Body(1)?.isEmpty == false)
    #expect(client.h2Body(3) == Array("0123456789".utf8))
  }

  @Test(arguments: ["", "&pauses", "&known"]) func `a body is streamed`(options: String) throws {
    let server = try TestServer()
    let client = try server.http2(settings: [(4, 1 << 24)])
    client.send(Frames.windowUpdate(0, 1 << 24))
    client.send(Frames.request(1, "/stream?count=40&size=50000\(options)"))
    #expect(client.h2Body(1)?.count == 2_000_000)
  }

  @Test func `a streamed body that fails is reset`() throws {
    let server = try TestServer()
    let client = try server.http2()
    client.send(Frames.request(1, "/stream?count=2&size=50&fails"))
    client.send(Frames.request(3, "/digits"))
    #expect(client.h2Body(1) == nil)
    #expect(client.h2Body(3) == Array("0123456789".utf8))
  }

  @Test func `a client that resets in the middle costs only its stream`() throws {
    let server = try TestServer()
    let client = try server.http2()
    client.send(Frames.request(1, "/segment.ts"))
    _ = client.frame { $0.type == 0 && $0.stream == 1 }
    client.send(Frames.rst(1) + Frames.windowUpdate(0, 1 << 20))
    client.send(Frames.request(3, "/digits"))
    #expect(client.h2Body(3) == Array("0123456789".utf8))
    client.reset()
    #expect(server.eventually { server.metric("wedlive_http_connections") == 0 })
  }

  @Test func `a flood is told to calm down and closed`() throws {
    let server = try TestServer()
    let client = try server.http2()
    for _ in 0..<200 { client.send(Frames.ping()) }
    let last = try #require(client.frame { $0.type == 7 })
    #expect(last.code == 11)
    client.finish()
    _ = client.rest()
    #expect(server.eventually { server.closed("http2_violation") == 1 })
    #expect(server.metric("wedlive_http2_violations_total{budget=\"pings\"}") == 1)
  }

  @Test func `an answer that waits for room is finished while the server drains`() async throws {
    let server = try TestServer()
    let client = try server.http2()
    client.send(Frames.request(1, "/segment.ts"))
    #expect(client.frame { $0.type == 0 && $0.stream == 1 } != nil)
    try await server.onLoop { $0.drain() }
    // The notice, and a second later the word that nothing more is taken.
    #expect(client.frame { $0.type == 7 } != nil)
    #expect(client.frame { $0.type == 7 } != nil)
    client.send(Frames.windowUpdate(0, 1 << 30) + Frames.windowUpdate(1, 1 << 30))
    #expect(client.h2Body(1) == PagesHandler.segment)
    _ = client.rest()
    #expect(server.eventually { server.closed("drained") == 1 })
  }

  @Test func `drains: answers what is in progress and says goodbye`() async throws {
    let handlers = Handlers()
    let server = try TestServer(handler: { handlers.make() })
    let client = try server.http2()
    let idle = try TestClient(plain: server.plainPort)
    #expect(idle.get("/digits")?.status == 200)
    client.send(Frames.request(1, "/hold"))
    #expect(server.eventually { server.metric("wedlive_http_held_requests") == 1 })
    try await server.onLoop { $0.drain() }
    #expect(idle.rest() == [])
    #expect(client.frame { $0.type == 7 } != nil)
    let news = PreparedResponse(fields: [], body: Array("news".utf8))
    try await server.onLoop { server in
      for token in handlers.tokens { server.release(token, with: news) }
    }
    #expect(client.h2Body(1) == Array("news".utf8))
    _ = client.rest()
    #expect(server.eventually { server.closed("drained") == 2 })
  }
}

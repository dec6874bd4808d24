import BlockingSupport
import HTTPSemantics
import HTTPServer
import Telemetry
import Testing

/// The pages, of which `/healthz` isn't counted and `/hold` by itself.
private final class CountedPages: RequestHandler {
  let pages: PagesHandler
  let sent: Tally
  let held: Tally

  init(_ pages: PagesHandler, sent: Tally, held: Tally) {
    self.pages = pages
    self.sent = sent
    self.held = held
    super.init()
  }

  override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if !request.pathIs("/healthz") {
      exchange.count(into: request.pathIs("/hold") ? held : sent)
    }
    return pages.handle(request, exchange)
  }
}

@Suite(.blocking) struct `What is sent is counted` {
  private let sent = Tally()
  private let held = Tally()
  private let handlers = Handlers()

  private func makeServer() throws -> TestServer {
    let (sent, held, handlers) = (sent, held, handlers)
    return try TestServer(handler: { CountedPages(handlers.make(), sent: sent, held: held) })
  }

  /// What has been counted once the loop is done with what it is at.
  private func counts(_ server: TestServer) async throws -> [UInt64] {
    let (sent, held) = (sent, held)
    return try await server.onLoop { _ in [sent.value, held.value] }
  }

  /// A request, and the bytes of its body that are counted.
  struct Case: Sendable {
    var path: String
    var method = "GET"
    var fields: [(String, String)] = []
    var bytes: Int
  }

  private static let cases = [
    Case(path: "/digits", bytes: 10),
    Case(path: "/digits", fields: [("range", "bytes=2-5")], bytes: 4),
    Case(path: "/digits", fields: [("range", "bytes=10-")], bytes: 0),
    Case(path: "/digits", method: "HEAD", bytes: 0),
    Case(path: "/digits", fields: [("if-none-match", "\"ten\"")], bytes: 0),
    Case(path: "/list.m3u8", fields: [("accept-encoding", "gzip")], bytes: 4),
    Case(path: "/segment.ts", bytes: PagesHandler.segment.count),
    Case(path: "/segment.ts", fields: [("range", "bytes=-100000")], bytes: 100_000),
    Case(path: "/stream?count=30&size=10000", bytes: 300_000),
    Case(path: "/stream?count=30&size=10000&known=1&pauses=1", bytes: 300_000),
    Case(path: "/stream?count=30&size=10000", method: "HEAD", bytes: 0),
    Case(path: "/healthz", bytes: 0),
  ]

  // MARK: HTTP/1

  @Test(arguments: [false, true], cases)
  func `over HTTP/1 the bytes of the body, and nothing around them`(
    isSecure: Bool, asked: Case
  ) async throws {
    let server = try makeServer()
    let client = try server.client(secure: isSecure)
    let fields = asked.fields.map { "\($0.0): \($0.1)\r\n" }.joined()
    client.send("\(asked.method) \(asked.path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    let response = try #require(client.response(toHead: asked.method == "HEAD"))
    if asked.path != "/healthz" { #expect(response.body.count == asked.bytes) }
    #expect(try await counts(server) == [UInt64(asked.bytes), 0])
    // What counted it doesn't count the next one of the connection.
    #expect(client.get("/healthz")?.status == 200)
    #expect(try await counts(server) == [UInt64(asked.bytes), 0])
  }

  @Test func `several ranges count with what stands between them`() async throws {
    let server = try makeServer()
    let client = try server.client(secure: false)
    let response = try #require(client.get("/digits", "Range: bytes=0-1,5-6\r\n"))
    #expect(response.status == 206)
    #expect(response.body.count > 4)
    #expect(try await counts(server) == [UInt64(response.body.count), 0])
  }

  @Test func `of what is broken off over HTTP/1 only that which was handed over`() async throws {
    let server = try makeServer()
    let client = try server.client(secure: false)
    client.send("GET /stream?count=10000&size=100000&known=1 HTTP/1.1\r\nHost: h\r\n\r\n")
    _ = client.take(500_000)
    #expect(client.received.count < 1_000_000)
    client.reset()
    #expect(server.eventually { server.metric("wedlive_http_connections") == 0 })
    let count = try await counts(server)[0]
    // The head is among the bytes that were taken.
    #expect(count >= 499_000)
    #expect(count < 1_000_000_000)
  }

  // MARK: HTTP/2

  @Test(arguments: cases)
  func `over HTTP/2 the bytes of the body, and nothing around them`(asked: Case) async throws {
    let server = try makeServer()
    let client = try server.http2(settings: [(4, 1 << 20)])
    client.send(Frames.windowUpdate(0, 1 << 20))
    let fields = asked.fields.flatMap { Frames.field($0.0, $0.1) }
    client.send(Frames.request(1, asked.path, method: asked.method, fields))
    let body = try #require(client.h2Body(1))
    if asked.path != "/healthz" { #expect(body.count == asked.bytes) }
    #expect(try await counts(server) == [UInt64(asked.bytes), 0])
    client.send(Frames.request(3, "/healthz"))
    #expect(client.h2Body(3) == Array("ok\n".utf8))
    #expect(try await counts(server) == [UInt64(asked.bytes), 0])
  }

  @Test func `of what is broken off over HTTP/2 what its window had room for`() async throws {
    let server = try makeServer()
    let client = try server.http2(settings: [(4, 40_000)])
    client.send(Frames.request(1, "/segment.ts") + Frames.request(3, "/stream?count=9&size=9999"))
    var missing = 65_535
    while missing > 0, let data = client.frame(where: { $0.type == 0 }) {
      missing -= data.payload.count
    }
    #expect(missing == 0)
    client.send(Frames.rst(1) + Frames.rst(3) + Frames.ping())
    #expect(client.frame { $0.type == 6 } != nil)
    #expect(try await counts(server) == [65_535, 0])
    client.send(Frames.windowUpdate(0, 100_000) + Frames.request(5, "/digits"))
    #expect(client.h2Body(5) == Array("0123456789".utf8))
    #expect(try await counts(server) == [65_545, 0])
  }

  // MARK: Held

  @Test func `a held request counts once it is answered, by what it was asked with`() async throws {
    let server = try makeServer()
    let plain = try server.client(secure: false)
    let client = try server.http2()
    plain.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n")
    client.send(Frames.request(1, "/hold"))
    #expect(server.eventually { server.metric("wedlive_http_held_requests") == 2 })
    // Others of the connection go on meanwhile, and count by themselves.
    client.send(Frames.request(3, "/digits"))
    #expect(client.h2Body(3)?.count == 10)
    #expect(try await counts(server) == [10, 0])
    try await server.onLoop { [handlers] server in
      let news = PreparedResponse(fields: [], body: Array("news".utf8))
      for token in handlers.tokens { _ = server.release(token, with: news) }
    }
    #expect(plain.response()?.text == "news")
    #expect(client.h2Body(1) == Array("news".utf8))
    #expect(try await counts(server) == [10, 8])
    client.send(Frames.request(5, "/healthz"))
    #expect(client.h2Body(5)?.count == 3)
    #expect(plain.get("/healthz")?.text == "ok\n")
    #expect(try await counts(server) == [10, 8])
  }

  @Test func `a held request whose client goes counts nothing`() async throws {
    let server = try makeServer()
    let client = try server.http2()
    client.send(Frames.request(1, "/hold"))
    #expect(server.eventually { server.metric("wedlive_http_held_requests") == 1 })
    client.send(Frames.rst(1))
    #expect(server.eventually { server.metric("wedlive_http_held_requests") == 0 })
    client.send(Frames.request(3, "/healthz"))
    #expect(client.h2Body(3)?.count == 3)
    #expect(try await counts(server) == [0, 0])
  }

  @Test func `what a request is told when its time is over counts, too`() async throws {
    let server = try makeServer()
    let client = try server.client(secure: false)
    let response = try #require(client.get("/hold?ms=30"))
    #expect(response.status == 503)
    #expect(try await counts(server) == [0, UInt64(response.body.count)])
  }

  @Test func `an answer that is worked out elsewhere counts where it was asked for`() async throws {
    let server = try makeServer()
    let client = try server.client(secure: true)
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
    #expect(client.response()?.text == "hello")
    #expect(try await counts(server) == [5, 0])
  }
}

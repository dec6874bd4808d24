import BlockingSupport
import EventLoop
import Glibc
import HTTPSemantics
import HTTPServer
import Testing

@Suite(.blocking) struct `HTTP/1.1 server` {
  @Test(arguments: [true, false]) func `a prepared response is served`(secure: Bool) throws {
    let server = try TestServer()
    let client = try server.client(secure: secure)
    for _ in 0..<3 {
      let response = try #require(client.get("/segment.ts"))
      #expect(response.status == 200)
      #expect(response.body == PagesHandler.segment)
      #expect(response["etag"] == "\"seg\"")
      #expect(response["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT")
      #expect(response["server"] == "wedlive")
      #expect(response["date"]?.hasSuffix("GMT") == true)
      let security = response["strict-transport-security"]
      #expect(security == (secure ? "max-age=63072000" : nil))
    }
    #expect(client.get("/nothing")?.status == 404)
  }

  @Test(arguments: [true, false]) func `a thousand pipelined requests are answered in order`(
    secure: Bool
  ) throws {
    let server = try TestServer()
    let client = try server.client(secure: secure)
    let paths = ["/digits", "/list.m3u8", "/nothing", "/stream?count=2&size=3"]
    var requests = ""
    for index in 0..<1000 {
      requests += "GET \(paths[index % 4]) HTTP/1.1\r\nHost: h\r\n\r\n"
    }
    client.send(requests)
    for index in 0..<1000 {
      let response = try #require(client.response())
      switch index % 4 {
      case 0: #expect(response.text == "0123456789")
      case 1: #expect(response.text == "#EXTM3U")
      case 2: #expect(response.status == 404)
      default: #expect(response.body.count == 6)
      }
    }
  }

  @Test(arguments: [true, false]) func `a head is whole, however large it is`(secure: Bool) throws {
    let server = try TestServer()
    let client = try server.client(secure: secure)
    let ask = "GET /head?count=50&size=6000 HTTP/1.1\r\nHost: h\r\n\r\n"
    // The second one when there is no room left.
    client.send(ask + ask + "GET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
    for _ in 0..<2 {
      let response = try #require(client.response())
      #expect(response.fields.count { $0.value.utf8.count == 6_000 } == 50)
      #expect(response.text == "body")
    }
    #expect(client.response()?.text == "0123456789")
  }

  @Test(arguments: [true, false]) func `pipelined answers without bodies wait for room`(
    secure: Bool
  ) throws {
    let server = try TestServer()
    let client = try server.client(secure: secure)
    client.send(
      String(repeating: "HEAD /digits HTTP/1.1\r\nHost: h\r\n\r\n", count: 1_200)
        + "GET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
    for _ in 0..<1_200 { #expect(client.response(toHead: true)?.status == 200) }
    #expect(client.response()?.text == "0123456789")
  }

  @Test(
    arguments: [
      ("bytes=2-4", 206, "234", "bytes 2-4/10"), ("bytes=-2", 206, "89", "bytes 8-9/10"),
      ("bytes=8-", 206, "89", "bytes 8-9/10"), ("bytes=20-", 416, "", "bytes */10"),
      ("bytes=5-1", 200, "0123456789", nil), ("lines=1-2", 200, "0123456789", nil),
    ] as [(String, Int, String, String?)]) func `a range is honoured`(
      range: String, status: Int, body: String, contentRange: String?
    ) throws
  {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    let response = try #require(client.get("/digits", "Range: \(range)\r\n"))
    #expect(response.status == status)
    #expect(response.text == body)
    #expect(response["content-range"] == contentRange)
    #expect(response["accept-ranges"] == "bytes")
    // A cache must not keep it in the place of the body.
    if status == 416 { #expect(response["cache-control"] == "no-store") }
    if status == 416 { #expect(response["etag"] == nil) }
  }

  @Test func `several ranges come as multipart`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    let response = try #require(client.get("/digits", "Range: bytes=0-1,-2\r\n"))
    #expect(response.status == 206)
    let type = try #require(response["content-type"])
    let boundary = try #require(type.split(separator: "boundary=").last)
    #expect(
      response.text == """
        \r\n--\(boundary)\r\ncontent-type: text/plain\r\ncontent-range: bytes 0-1/10\r\n\r\n01\
        \r\n--\(boundary)\r\ncontent-type: text/plain\r\ncontent-range: bytes 8-9/10\r\n\r\n89\
        \r\n--\(boundary)--\r\n
        """)
  }

  @Test(arguments: [
    ("If-None-Match: \"ten\"", 304), ("If-None-Match: \"x\"", 200), ("If-Match: \"x\"", 412),
    ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304),
    ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 412),
    ("If-Range: \"ten\"\r\nRange: bytes=0-1", 206), ("If-Range: \"x\"\r\nRange: bytes=0-1", 200),
  ]) func `a precondition is honoured`(fields: String, status: Int) throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    #expect(client.get("/digits", fields + "\r\n")?.status == status)
    // The connection is still in step.
    #expect(client.get("/digits")?.text == "0123456789")
  }

  @Test func `gzip is chosen by the client, and has a tag of its own`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    let packed = try #require(client.get("/list.m3u8", "Accept-Encoding: gzip\r\n"))
    #expect(packed.text == "gzip")
    #expect(packed["content-encoding"] == "gzip")
    #expect(packed["vary"] == "accept-encoding")
    #expect(packed["etag"] == "\"list-gz\"")
    let plain = try #require(client.get("/list.m3u8"))
    #expect(plain.text == "#EXTM3U")
    #expect(plain["content-encoding"] == nil)
    #expect(plain["vary"] == "accept-encoding")
    let fields = "Accept-Encoding: gzip\r\nIf-None-Match: \"list-gz\"\r\n"
    #expect(client.get("/list.m3u8", fields)?.status == 304)
  }

  @Test func `HEAD has the fields and no body`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    for path in ["/digits", "/stream?known"] {
      client.send("HEAD \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
      let response = try #require(client.response(toHead: true))
      #expect(response.status == 200)
      #expect(response["content-length"] != nil)
    }
    #expect(client.get("/digits")?.text == "0123456789")
  }

  @Test(arguments: ["", "&known", "&pauses", "&known&pauses"]) func `a body is streamed`(
    options: String
  ) throws {
    let server = try TestServer()
    for secure in [true, false] {
      let client = try server.client(secure: secure)
      for _ in 0..<2 {
        let response = try #require(client.get("/stream?count=40&size=50000\(options)"))
        #expect(response.body.count == 2_000_000)
        #expect(response.body.prefix(50_000).allSatisfy { $0 == response.body[0] })
      }
    }
  }

  @Test func `a streamed body of HTTP/1.0 ends with the connection`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    client.send("GET /stream?count=4&size=5 HTTP/1.0\r\n\r\n")
    let response = try #require(client.response())
    #expect(response["connection"] == "close")
    #expect(response.body.count == 20)
  }

  @Test(arguments: ["", "&known"]) func `a streamed body that fails never looks complete`(
    options: String
  ) throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    client.send("GET /stream?count=3&size=100000&fails\(options) HTTP/1.1\r\nHost: h\r\n\r\n")
    let bytes = client.rest()
    #expect(!bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8))
    #expect(server.eventually { server.closed("body_failed") == 1 || options != "" })
  }

  @Test func `a body reaches an asynchronous handler`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
    #expect(client.response()?.text == "hello")
    client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        + "GET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(client.response()?.text == "abcde")
    #expect(client.response()?.text == "0123456789")
    client.send(
      "PUT /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    #expect(client.response()?.status == 100)
    client.send("ok")
    #expect(client.response()?.text == "ok")
  }

  @Test func `a body beyond the limit is refused`() throws {
    let server = try TestServer()
    for framing in [
      "Content-Length: 100001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n186A1\r\n",
    ] {
      let client = try TestClient(plain: server.plainPort)
      client.send("POST /echo HTTP/1.1\r\nHost: h\r\n" + framing)
      client.send([UInt8](repeating: 0x61, count: 100_001))
      let response = try #require(client.response())
      #expect(response.status == 413)
      #expect(response["connection"] == "close")
      #expect(response.text.hasPrefix("{\"error\":{\"code\":\"content_too_large\""))
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\nHost: h\n\n", 400), ("nonsense\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0", 400),
    ("GET /../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("GET / HTTP/3.0\r\n\r\n", 505),
    ("GET /" + String(repeating: "a", count: 9000), 414),
    ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 40_000), 431),
    ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
  ]) func `a malformed request is answered once and the connection closed`(
    text: String, status: Int
  ) throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    client.send(text)
    let response = try #require(client.response())
    #expect(response.status == status)
    #expect(response["connection"] == "close")
    client.finish()
    #expect(client.rest() == [])
    #expect(server.eventually { server.closed("malformed") == 1 })
  }

  @Test func `a request after a close is not answered`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    client.send(
      "GET /digits HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /digits HTTP/1.1\r\nHost: h\r\n\r\n"
    )
    #expect(client.response()?.text == "0123456789")
    #expect(client.rest() == [])
  }

  @Test func `a client that has ended its side still gets its answer`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    client.send("GET /segment.ts HTTP/1.1\r\nHost: h\r\n\r\n")
    client.finish()
    #expect(client.response()?.body == PagesHandler.segment)
  }

  @Test(arguments: [
    ("GET /digits HTTP/1.1\r\nHost: h\r\n\r\n", "0123456789"),
    ("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "hi"),
  ])
  func `also where request and end come together`(request: String, answer: String) async throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.plainPort)
    let descriptor = client.descriptor
    // On the loop, so that it finds both at once.
    try await server.onLoop { _ in
      let bytes = Array(request.utf8)
      _ = unsafe Glibc.send(descriptor, bytes, bytes.count, 0)
      _ = shutdown(descriptor, Int32(SHUT_WR))
    }
    #expect(client.response()?.text == answer)
    #expect(client.rest() == [])
  }

  @Test func `plain HTTP is sent to HTTPS, but for health and ACME`() throws {
    let server = try TestServer(handler: { RedirectHandler(PagesHandler(), httpsPort: 8443) })
    let client = try TestClient(plain: server.plainPort)
    let moved = try #require(client.get("/hls/w/index.m3u8?token=a%20b"))
    #expect(moved.status == 308)
    #expect(moved["location"] == "https://localhost:8443/hls/w/index.m3u8?token=a%20b")
    #expect(moved["cache-control"] == "no-store")
    #expect(client.get("/hls/w/index.m3u8")?["cache-control"] == "max-age=3600")
    #expect(client.get("/healthz")?.text == "ok\n")
    #expect(client.get("/.well-known/acme-challenge/x")?.status == 404)
  }
}

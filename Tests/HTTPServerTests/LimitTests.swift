import BlockingSupport
import EventLoop
import Glibc
import HTTPServer
import Testing

@Suite(.blocking) struct `HTTP server limits` {
  private static let soon = Duration.milliseconds(60)

  @Test(arguments: [true, false]) func `a head that never ends is closed`(secure: Bool) throws {
    let server = try TestServer { $0.headerTimeout = Self.soon }
    let client = try server.client(secure: secure)
    client.send("GET / HTTP/1.1\r\nHost")
    #expect(client.response()?.status == 408)
    client.finish()
    #expect(server.eventually { server.closed("header_timeout") == 1 })
  }

  @Test func `an HTTP/2 header block that never ends is closed`() throws {
    let server = try TestServer { $0.headerTimeout = Self.soon }
    let client = try server.http2()
    client.send(Frames.request(1, "/digits"))
    #expect(client.h2Body(1) != nil)
    client.send(Frames.frame(1, stream: 3, Frames.block("/digits")))
    _ = client.rest()
    #expect(server.closed("header_timeout") == 1)
  }

  @Test func `a handshake that never ends is closed`() throws {
    let server = try TestServer { $0.handshakeTimeout = Self.soon }
    let client = try TestClient(plain: server.tlsPort)
    client.raw([0x16, 0x03, 0x01])
    _ = client.rest()
    #expect(server.eventually { server.closed("handshake_timeout") == 1 })
  }

  @Test func `bytes that are not TLS are closed`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.tlsPort)
    client.raw([3] + [UInt8](repeating: 0, count: 1536))
    _ = client.rest()
    #expect(server.eventually { server.closed("tls") == 1 })
    // The slot of the handshake is free again.
    #expect(try server.http2().isEnded == false)
  }

  @Test func `plain HTTP on the HTTPS port is told so`() throws {
    let server = try TestServer()
    let client = try TestClient(plain: server.tlsPort)
    client.raw(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    let response = try #require(client.response())
    #expect(response.status == 400)
    #expect(String(decoding: response.body, as: UTF8.self).contains("https://"))
    #expect(response["connection"] == "close")
    client.finish()
    #expect(client.rest() == [])
    #expect(server.eventually { server.closed("tls") == 1 })
    #expect(try server.http2().isEnded == false)
  }

  @Test func `an idle connection is closed`() throws {
    let server = try TestServer { $0.idleTimeout = Self.soon }
    let plain = try TestClient(plain: server.plainPort)
    #expect(plain.get("/digits")?.status == 200)
    let secure = try server.http2()
    secure.send(Frames.request(1, "/digits"))
    #expect(secure.h2Body(1) != nil)
    #expect(plain.rest() == [])
    _ = secure.rest()
    #expect(server.eventually { server.closed("idle") == 2 })
  }

  @Test func `pings do not keep an idle connection`() throws {
    let server = try TestServer { $0.idleTimeout = .milliseconds(200) }
    let client = try server.http2()
    client.send(Frames.request(1, "/digits"))
    #expect(client.h2Body(1) != nil)
    for _ in 0..<40 where !client.isEnded {
      client.send(Frames.ping())
      if client.frame(where: { $0.type == 6 }) == nil { break }
      usleep(10_000)
    }
    _ = client.rest()
    #expect(server.closed("idle") == 1)
    #expect(server.closed("http2_violation") == 0)
  }

  @Test func `a slow reader is seen also after a source that never answered`() throws {
    let server = try TestServer { $0.rateInterval = Self.soon }
    let client = try server.http2(settings: [(4, 0)])
    client.send(Frames.request(1, "/stream?never"))
    client.send(Frames.rst(1))
    client.send(Frames.request(3, "/segment.ts"))
    #expect(server.eventually { server.closed("slow_reader") == 1 })
  }

  @Test(arguments: [true, false]) func `a client that does not read is closed`(
    http2: Bool
  ) throws {
    let server = try TestServer { $0.rateInterval = Self.soon }
    let client: TestClient
    if http2 {
      // The socket is read; it is the window that stays shut.
      client = try server.http2(settings: [(4, 0)])
      client.send(Frames.request(1, "/segment.ts"))
    } else {
      client = try TestClient(plain: server.plainPort, receiveBuffer: 4096)
      for _ in 0..<100 { client.send("GET /segment.ts HTTP/1.1\r\nHost: h\r\n\r\n") }
    }
    #expect(server.eventually { server.closed("slow_reader") == 1 })
  }

  @Test func `a client that does not read makes nothing grow`() async throws {
    let server = try TestServer()
    let clients = try (0..<4).map { _ in
      try server.http2(settings: [(4, 1 << 30)], receiveBuffer: 4096)
    }
    for client in clients {
      client.send(Frames.windowUpdate(0, 1 << 30))
      for stream in 0..<90 { client.send(Frames.request(Int32(stream * 2 + 1), "/segment.ts")) }
    }
    // Each of them is owed 27 MB, and holds one output buffer of about 150 KB.
    #expect(
      server.eventually { server.metric("wedlive_http_requests_total{protocol=\"http2\"}") == 360 })
    let held = try await server.onLoop { $0.outputBuffersInUse }
    #expect(held <= 4)
  }

  @Test func `a body that trickles is closed`() throws {
    let server = try TestServer { $0.rateInterval = Self.soon }
    let client = try TestClient(plain: server.plainPort)
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nab")
    _ = client.rest()
    #expect(server.eventually { server.closed("slow_body") == 1 })
  }

  @Test func `a request that is answered and never ends is ended`() throws {
    let server = try TestServer { $0.rateInterval = Self.soon }
    let client = try server.http2()
    client.send(
      Frames.frame(
        1, flags: Frames.endHeaders, stream: 1, Frames.block("/digits", method: "POST")))
    let reset = client.frame { $0.type == 3 }
    #expect(reset?.stream == 1)
    #expect(reset?.code == 0)
    client.send(Frames.request(3, "/digits"))
    #expect(client.h2Body(3) == Array("0123456789".utf8))
    #expect(server.closed("slow_body") == 0)
  }

  @Test func `a body that comes for too long is closed`() throws {
    let server = try TestServer {
      $0.rateInterval = Self.soon
      $0.minimumBodyRate = 0
      $0.bodyTimeout = Self.soon
    }
    let client = try TestClient(plain: server.plainPort)
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nab")
    _ = client.rest()
    #expect(server.eventually { server.closed("slow_body") == 1 })
  }

  @Test func `connections beyond the limit are closed and counted`() throws {
    let server = try TestServer { $0.maximumConnections = 2 }
    let kept = try (0..<2).map { _ in try TestClient(plain: server.plainPort) }
    for client in kept { #expect(client.get("/digits")?.status == 200) }
    let refused = try TestClient(plain: server.plainPort)
    #expect(refused.rest() == [])
    #expect(server.closed("too_many_connections") == 1)
    #expect(kept[0].get("/digits")?.status == 200)
  }

  @Test func `for a handshake beyond the limit the oldest is given up`() throws {
    let server = try TestServer { $0.maximumHandshakes = 2 }
    let silent = try (0..<5).map { _ in try TestClient(plain: server.tlsPort) }
    #expect(server.eventually { server.closed("too_many_handshakes") == 3 })
    // Those who speak get in, however many are silent.
    for _ in 0..<3 { #expect(try server.http2().isEnded == false) }
    #expect(server.closed("too_many_handshakes") == 4)
    for client in silent.prefix(4) { #expect(client.rest() == []) }
  }

  @Test func `the operator gets in when the viewers have taken all connections`() throws {
    let server = try TestServer { $0.maximumConnections = 2 }
    let kept = try (0..<2).map { _ in try TestClient(plain: server.plainPort) }
    for client in kept { #expect(client.get("/digits")?.status == 200) }
    #expect(try TestClient(plain: server.plainPort).rest() == [])
    #expect(try TestClient(plain: server.operatorPort).get("/digits")?.status == 200)
  }

  @Test func `requests of one connection are bounded`() throws {
    let server = try TestServer { $0.maximumRequestsPerConnection = 3 }
    let client = try TestClient(plain: server.plainPort)
    #expect(client.get("/digits")?["connection"] == nil)
    #expect(client.get("/digits")?["connection"] == nil)
    #expect(client.get("/digits")?["connection"] == "close")
    #expect(client.rest() == [])
  }

  @Test func `the PROXY protocol says who the client is`() throws {
    let server = try TestServer { $0.trustedProxies = ["127.0.0.1"] }
    let client = try TestClient(plain: server.plainPort)
    client.send("PROXY TCP4 192.0.2.7 192.0.2.1 5555 443\r\n")
    #expect(client.get("/digits")?.status == 200)
    #expect(client.get("/client")?.text == "192.0.2.7:5555")
    let liar = try TestClient(plain: server.plainPort)
    liar.send("GET /digits HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(liar.rest() == [])
    #expect(server.eventually { server.closed("proxy_header") == 1 })
  }
}

import HTTPServer
import Testing

@Suite struct `HTTP/1.1 server` {
  @Test(arguments: [true, false]) func `a prepared response is served`(secure: Bool) throws {
    let server = try TestServer()
    let client =
      secure
      ? try TestClient(
        tls: server.tlsPort, trusting: server.certificate, protocols: ["http/1.1"])
      : try TestClient(plain: server.plainPort)
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
}

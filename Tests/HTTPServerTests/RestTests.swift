import BlockingSupport
import Testing

@testable import HTTPServer

@Suite(.blocking) struct `A connection that has nothing to do` {
  private func rests(_ server: TestServer) -> Int { server.metric("wedlive_http_rests_total") }

  @Test func `gives memory back after a while, each time, and answers as before`() throws {
    let server = try TestServer()
    let client = try server.http2()
    for stream: Int32 in [1, 3, 5] {
      let before = rests(server)
      client.send(Frames.request(stream, "/digits"))
      #expect(client.h2Body(stream)?.isEmpty == false)
      #expect(server.eventually { rests(server) > before })
    }
  }

  @Test func `does not while it waits for an answer`() throws {
    let server = try TestServer()
    let busy = try server.http2()
    busy.send(Frames.request(1, "/hold"))
    #expect(server.eventually { server.metric("wedlive_http_held_requests") == 1 })
    let idle = try server.http2()
    idle.send(Frames.request(1, "/digits"))
    #expect(idle.h2Body(1)?.isEmpty == false)
    // The one that came later does: by then the first has been looked at.
    #expect(server.eventually { rests(server) > 0 })
    #expect(rests(server) == 1)
  }
}

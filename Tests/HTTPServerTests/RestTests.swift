import BlockingSupport
import Testing

@testable import HTTPServer

@Suite(.blocking) struct `A connection that has nothing to do` {
  private func rests(_ server: TestServer) async throws -> Int {
    try await server.onLoop { $0.rests }
  }

  @Test func `gives memory back after a while, each time, and answers as before`() async throws {
    let server = try TestServer()
    let client = try server.http2()
    for stream: Int32 in [1, 3, 5] {
      let before = try await rests(server)
      client.send(Frames.request(stream, "/digits"))
      #expect(client.h2Body(stream)?.isEmpty == false)
      var after = before
      for _ in 0..<3_000 where after == before {
        try await Task.sleep(for: .milliseconds(10))
        after = try await rests(server)
      }
      #expect(after > before)
    }
  }

  @Test func `does not while it waits for an answer`() async throws {
    let server = try TestServer()
    let busy = try server.http2()
    busy.send(Frames.request(1, "/hold"))
    #expect(server.eventually { server.metric("wedlive_http_held_requests") == 1 })
    let idle = try server.http2()
    idle.send(Frames.request(1, "/digits"))
    #expect(idle.h2Body(1)?.isEmpty == false)
    // The one that came later does: by then the first has been looked at.
    for _ in 0..<3_000 where try await rests(server) == 0 {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(try await rests(server) == 1)
  }
}

import Cache
import HTTPClient
import HTTPTypes
import Testing

@testable import Edge

@Suite struct `A cache in front of an origin that fails` {
  private func name(_ function: String = #function, _ tail: String = "") -> String {
    String(function.filter { $0.isLetter }) + tail
  }

  @Test func `an error is for all who wait, and the next one asks for all again`() async throws {
    let edge = try EdgeNode()
    let name = name()
    func crowd() async throws -> Set<Int> {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<40 {
          group.addTask { [edge = Held(edge)] in
            try await edge.value.get("/o/\(name)").head.status.code
          }
        }
        return try await group.reduce(into: []) { $0.insert($1) }
      }
    }
    // Without a word on how long it is good for.
    try await edge.set(name, "status=503&delay=1")
    #expect(try await crowd() == [503])
    #expect(try await edge.count(name) <= 3)
    let before = try await edge.count(name)
    try await edge.set(name, "cc=max-age%3D60&delay=1")
    #expect(try await crowd() == [200])
    #expect(try await edge.count(name) <= before + 1)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
  }

  @Test func `an error that a client's credentials may have caused is that client's`() async throws
  {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "status=403&delay=0.2")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { [edge = Held(edge)] in
          let answer = try await edge.value.get("/o/\(name)", [("cookie", "a=b")])
          #expect(answer.head.status.code == 403)
        }
      }
      try await group.waitForAll()
    }
    #expect(try await edge.count(name) == 4)
  }

  @Test(arguments: ["", "&chunked=1"])
  func `a body that breaks off is an error for all, and is not kept`(_ how: String) async throws {
    let edge = try EdgeNode()
    let name = name(#function, how.isEmpty ? "" : "c")
    try await edge.set(name, "cc=max-age%3D60&size=200000&cut=150000\(how)")
    for _ in 0..<2 {
      await #expect(throws: HTTPClientError.self) { _ = try await edge.get("/o/\(name)") }
    }
    #expect(try await edge.count(name) == 2)
    try await edge.set(name, "cc=max-age%3D60&size=200000\(how)")
    let whole = try await edge.get("/o/\(name)")
    #expect(whole.body == ScriptedOrigin.body(name, 3, size: 200_000))
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
  }

  @Test func `a body that breaks off goes on with the rest of the same version`() async throws {
    let edge = try EdgeNode()
    let name = name()
    let rule = "cc=max-age%3D60&size=200000&cut=150000&ranges=1"
    try await edge.set(name, rule + "&version=3")
    let answer = try await edge.get("/o/\(name)")
    #expect(answer.body == ScriptedOrigin.body(name, 3, size: 200_000))
    #expect(try await edge.count(name) == 2)
    #expect(try await edge.asked(name)["range"] == "bytes=150000-199999")
    #expect(try await edge.asked(name)["if-range"] == "\"3\"")
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
    #expect(edge.proxy.resumeCount == 1)
  }

  @Test func `the rest of a body that broke off is had as it comes`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(
      name, "cc=max-age%3D60&size=200000&cut=150000&ranges=1&version=3&gate=1000&from=2")
    let body = try edge.stream("/o/\(name)")
    #expect(try await edge.eventually { body.bytes.count == 151_000 })
    try await edge.open(name)
    #expect(try await edge.eventually { body.isWhole })
    #expect(body.bytes == ScriptedOrigin.body(name, 3, size: 200_000))
  }

  @Test(arguments: ["&version=3&flap=1", "&version=3&weak=1", "&version=3&shift=1", ""])
  func `a body that breaks off is not mixed with another version's`(_ how: String) async throws {
    let edge = try EdgeNode()
    let name = name(#function, how.filter(\.isLetter))
    try await edge.set(name, "cc=max-age%3D60&size=200000&cut=150000&ranges=1" + how)
    await #expect(throws: HTTPClientError.self) { _ = try await edge.get("/o/\(name)") }
    #expect(edge.proxy.resumeCount == 0)
    let path = "127.0.0.1:\(edge.port)/o/\(name)"
    #expect(try await edge.eventually { !edge.proxy.has(path) })
  }

  @Test func `an origin that gives no answer is a 502, and an old answer where that is allowed`()
    async throws
  {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "drop=1")
    let failed = try await edge.get("/o/\(name)")
    #expect(failed.head.status.code == 502)
    #expect(failed.head.headerFields[.retryAfter] == "2")
    #expect(String(decoding: failed.body, as: UTF8.self).contains("origin_failed"))
    for (word, status) in [("", 502), (",stale-if-error%3D60", 200)] {
      let path = "/o/\(name)?y=\(status)"
      try await edge.set(name, "cc=max-age%3D1\(word)&age=2&size=50")
      let first = try await edge.get(path)
      #expect(try await edge.allHasLanded())
      try await edge.set(name, "drop=1")
      let then = try await edge.get(path)
      #expect(then.head.status.code == status)
      if status == 200 {
        #expect(then.body == first.body)
        #expect(then.head.cacheWord == "STALE")
      }
      try await edge.set(name, "status=503&cc=no-store")
      #expect(try await edge.get(path).head.status.code == (status == 200 ? 200 : 503))
    }
  }

  @Test func `an edge that knows nobody to ask says when to ask again`() async throws {
    let edge = try EdgeNode { $0.upstreams = [] }
    for method in [HTTPRequest.Method.get, .post] {
      let answer = try await edge.get("/o/anything", method: method)
      #expect(answer.head.status.code == 503)
      #expect(answer.head.headerFields[.retryAfter] == "2")
      #expect(String(decoding: answer.body, as: UTF8.self).contains("no_origin"))
    }
  }

  @Test func `an answer that comes too late is a 504`() async throws {
    let edge = try EdgeNode { $0.headTimeout = .milliseconds(200) }
    let name = name()
    try await edge.set(name, "delay=30")
    let late = try await edge.get("/o/\(name)")
    #expect(late.head.status.code == 504)
    #expect(late.head.headerFields[.retryAfter] == "2")
    #expect(String(decoding: late.body, as: UTF8.self).contains("origin_failed"))
  }

  @Test func `a browser that wants the player page gets one that comes again by itself`()
    async throws
  {
    let edge = try EdgeNode { $0.upstreams = [] }
    let accept = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    let page = try await edge.get("/watch/ana?token=x", [accept])
    let text = String(decoding: page.body, as: UTF8.self)
    #expect(page.head.status.code == 503)
    #expect(page.head.headerFields[.retryAfter] == "2")
    #expect(page.head.headerFields[.contentType] == "text/html; charset=utf-8")
    #expect(page.head.headerFields[.cacheControl] == "no-store")
    #expect(text.contains("http-equiv=\"refresh\"") && text.contains("will be back"))
    #expect(!text.contains("edge.") && !text.contains("origin") && !text.contains("cluster"))
    for (path, accept) in [
      ("/watch/ana", "*/*"), ("/watch/ana", "application/json"),
      ("/hls/ana/index.m3u8", "text/html"),
    ] {
      let other = try await edge.get(path, [("accept", accept)])
      #expect(other.head.headerFields[.contentType] == "application/json", "\(path) \(accept)")
    }
  }

  @Test func `viewers are told nothing that is for the operator`() async throws {
    let edge = try EdgeNode { $0.upstreams = [] }
    let answer = try await edge.get("/watch/ana")
    let text = String(decoding: answer.body, as: UTF8.self)
    #expect(text.contains("no_origin") && !text.contains("edge.upstreams"))
  }
}

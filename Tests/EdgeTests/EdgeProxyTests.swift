import Cache
import HTTPClient
import HTTPTypes
import Testing

@testable import Edge

@Suite struct `A cache in front of an origin` {
  private func name(_ function: String = #function, _ tail: String = "") -> String {
    String(function.filter { $0.isLetter }) + tail
  }

  @Test func `what is fresh is asked for once`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D60&size=100&age=7")
    let first = try await edge.get("/o/\(name)")
    #expect(first.head.cacheWord == "MISS")
    #expect(first.head.headerFields[.cacheStatus] == "wedlive-edge; fwd=uri-miss; stored")
    #expect(first.body == ScriptedOrigin.body(name, 1, size: 100))
    let second = try await edge.get("/o/\(name)")
    #expect(second.head.cacheWord == "HIT")
    #expect(second.body == first.body)
    #expect(Int(try #require(second.head.headerFields[.age])) ?? 0 >= 7)
    #expect(try await edge.get("/o/\(name)?x=1").head.cacheWord == "MISS")
    #expect(try await edge.count(name) == 2)
  }

  @Test func `two hundred who ask at once cost one request, and get bytes as they come`()
    async throws
  {
    let edge = try EdgeNode()
    let name = name()
    let size = 3 << 20
    try await edge.set(name, "cc=max-age%3D60&gate=1&delay=0.2&size=\(size)")
    let whole = ScriptedOrigin.body(name, 1, size: size)
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<200 {
        group.addTask { [edge = Held(edge)] in try await edge.value.get("/o/\(name)").body }
      }
      // Half of it is sent until all of them have come.
      #expect(try await edge.eventually { edge.proxy.readers >= 200 })
      try await edge.open(name)
      for try await body in group { #expect(body == whole) }
    }
    #expect(try await edge.count(name) == 1)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
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
    try await edge.set(name, "status=503&delay=0.3")
    #expect(try await crowd() == [503])
    #expect(try await edge.count(name) <= 3)
    let before = try await edge.count(name)
    try await edge.set(name, "cc=max-age%3D60&delay=0.3")
    #expect(try await crowd() == [200])
    #expect(try await edge.count(name) <= before + 1)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
  }

  @Test(arguments: ["", "&cut=150000"])
  func `what is on its way counts as being here when all of it has come`(_ how: String) async throws
  {
    let edge = try EdgeNode()
    let name = name(#function, how.isEmpty ? "" : "c")
    let path = "127.0.0.1:\(edge.port)/o/\(name)"
    try await edge.set(name, "cc=max-age%3D60&size=200000&gate=1\(how)")
    #expect(!edge.proxy.has(path))
    let held = Held(edge)
    async let answer = try? held.value.get("/o/\(name)")
    #expect(try await edge.eventually { edge.proxy.readers == 1 })
    #expect(!edge.proxy.has(path))
    try await edge.open(name)
    #expect(await answer?.body.count == (how.isEmpty ? 200_000 : nil))
    #expect(try await edge.eventually { edge.proxy.has(path) == how.isEmpty })
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
      try await edge.set(name, "cc=max-age%3D1\(word)&age=1&size=50")
      let first = try await edge.get(path)
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

  @Test func `a part of what is too large to be kept is asked for as a part`() async throws {
    let edge = try EdgeNode { $0.objectBytes = 100_000 }
    let name = name()
    try await edge.set(name, "cc=max-age%3D60&size=3000000")
    for _ in 0..<2 {
      _ = try await edge.get("/o/\(name)", [("range", "bytes=2999990-")])
      #expect(try await edge.asked(name)["range"] == "bytes=2999990-")
    }
    let whole = try await edge.get("/o/\(name)")
    #expect(whole.body.count == 3_000_000)
    #expect(try await edge.asked(name)["range"] == nil)
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

  @Test func `what is stale is asked about, and served meanwhile where that is allowed`()
    async throws
  {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D1&age=1&etag=v1&size=50")
    let first = try await edge.get("/o/\(name)")
    // Who asks before it has landed waits with the others, and then has to ask for itself alone.
    #expect(try await edge.eventually { edge.proxy.flights.count == 0 })
    let second = try await edge.get("/o/\(name)")
    #expect(second.head.cacheWord == "REVALIDATED")
    #expect(second.body == first.body)
    #expect(try await edge.asked(name)["if-none-match"] == "\"v1\"")
    try await edge.set(name, "cc=max-age%3D1,stale-while-revalidate%3D60&age=1&etag=v2&size=50")
    let third = try await edge.get("/o/\(name)")
    #expect(third.head.cacheWord == "EXPIRED")
    #expect(third.body == ScriptedOrigin.body(name, 3, size: 50))
    try await edge.set(name, "cc=max-age%3D60&etag=v3&size=50")
    let fourth = try await edge.get("/o/\(name)")
    #expect(fourth.head.cacheWord == "UPDATING")
    #expect(fourth.body == third.body)
    #expect(
      try await edge.eventually {
        try await edge.get("/o/\(name)").head.headerFields[.eTag] == "\"v3\""
      })
    #expect(try await edge.count(name) == 4)
  }

  @Test func `what is for one client is shared with nobody`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=private&delay=0.3&size=60")
    var bodies: Set<[UInt8]> = []
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<10 {
        group.addTask { [edge = Held(edge)] in try await edge.value.get("/o/\(name)").body }
      }
      for try await body in group { bodies.insert(body) }
    }
    #expect(bodies.count == 10)
    #expect(try await edge.count(name) == 10)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "BYPASS")
  }

  @Test func `each choice is kept for itself`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D60&vary=x-a&size=100")
    let one = try await edge.get("/o/\(name)", [("X-A", "1")])
    let two = try await edge.get("/o/\(name)", [("X-A", "2")])
    #expect(one.body != two.body)
    #expect(try await edge.get("/o/\(name)", [("X-A", "1")]).body == one.body)
    #expect(try await edge.get("/o/\(name)", [("X-A", "2")]).body == two.body)
    #expect(try await edge.count(name) == 2)
    // One change takes all of them away.
    _ = try await edge.get("/o/\(name)", method: .post)
    #expect(try await edge.get("/o/\(name)", [("X-A", "1")]).head.cacheWord == "MISS")
    #expect(try await edge.get("/o/\(name)", [("X-A", "2")]).head.cacheWord == "MISS")
  }

  @Test func `those who wait together get each the choice that is theirs`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D60&vary=x-a&delay=0.5&size=100")
    let held = Held(edge)
    async let one = held.value.get("/o/\(name)", [("X-A", "1")]).body
    async let two = held.value.get("/o/\(name)", [("X-A", "2")]).body
    #expect(try await one != two)
    #expect(try await edge.count(name) == 2)
  }

  @Test func `one who reads for himself alone is joined by nobody`() async throws {
    let edge = try EdgeNode { $0.aloneFor = 0 }
    let name = name()
    try await edge.set(name, "cc=private&gate=1&size=60")
    let held = Held(edge)
    async let one = held.value.get("/o/\(name)").body
    #expect(try await edge.eventually { try await edge.count(name) == 1 })
    async let two = held.value.get("/o/\(name)").body
    #expect(try await edge.eventually { try await edge.count(name) == 2 })
    try await edge.open(name)
    #expect(try await one != two)
  }

  @Test func `what is asked for anew behind the back and not kept ends by itself`() async throws {
    let edge = try EdgeNode { $0.unreadBytes = 10_000 }
    let name = name()
    try await edge.set(name, "cc=max-age%3D1,stale-while-revalidate%3D60&age=1&size=50")
    let first = try await edge.get("/o/\(name)")
    // Each would hold a place of the client's 64 for ever.
    try await edge.set(name, "cc=no-store&size=3000000")
    for number in 2..<100 {
      _ = try await edge.get("/o/\(name)?\(number)")
      edge.proxy.refresh(
        HTTPRequest(
          method: .get, scheme: "http", authority: "h", path: "/o/\(name)?r\(number)"),
        name: "h/o/\(name)?r\(number)")
    }
    try await edge.set(name, "cc=max-age%3D60&size=50")
    #expect(try await edge.get("/o/\(name)?last").body.count == first.body.count)
  }

  @Test func `parts and conditions, whether it is kept or just comes`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D60&size=1000&etag=v")
    let whole = ScriptedOrigin.body(name, 1, size: 1_000)
    for round in 0..<2 {
      let part = try await edge.get("/o/\(name)", [("Range", "bytes=100-199")])
      #expect(part.head.status.code == 206, "round \(round)")
      #expect(part.head.headerFields[.contentRange] == "bytes 100-199/1000")
      #expect(part.body == Array(whole[100..<200]))
    }
    for (field, value, status) in [
      ("If-None-Match", "\"v\"", 304), ("If-Match", "\"w\"", 412), ("Range", "bytes=2000-", 416),
      ("Range", "bytes=-1", 206),
    ] {
      for path in ["/o/\(name)", "/o/\(name)?\(status)\(value.filter { $0.isLetter })"] {
        let answer = try await edge.get(path, [(field, value)])
        #expect(answer.head.status.code == status, "\(field) of \(path)")
      }
    }
    #expect(try await edge.asked(name)["range"] == nil)
  }

  @Test func `a HEAD is answered from what is kept, or asked for`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D60&size=70")
    let first = try await edge.get("/o/\(name)", method: .head)
    #expect(first.head.headerFields[.contentLength] == "70")
    #expect(first.body.isEmpty)
    _ = try await edge.get("/o/\(name)")
    let second = try await edge.get("/o/\(name)", method: .head)
    #expect(second.head.cacheWord == "HIT")
    #expect(second.head.headerFields[.contentLength] == "70")
    #expect(try await edge.count(name) == 2)
  }

  @Test func `an object too long to keep still comes whole`() async throws {
    let edge = try EdgeNode { $0.objectBytes = 100_000 }
    let name = name()
    for how in ["", "&chunked=1"] {
      let number = how.isEmpty ? 1 : 2
      try await edge.set(name, "cc=max-age%3D60&size=3000000\(how)")
      let answer = try await edge.get("/o/\(name)?\(number)")
      #expect(answer.body == ScriptedOrigin.body(name, number, size: 3_000_000))
    }
    #expect(edge.proxy.store.usage.bytes < 100_000)
  }

  @Test func `fields of a connection go no further`() async throws {
    let edge = try EdgeNode()
    let name = name()
    _ = try await edge.get(
      "/o/\(name)", [("Connection", "x-hop"), ("X-Hop", "1"), ("X-End", "2"), ("TE", "trailers")])
    let asked = try await edge.asked(name)
    #expect(asked["x-end"] == "2")
    #expect(asked["x-hop"] == nil)
    #expect(asked["te"] == nil)
  }
}

/// Lends an edge to tasks; it outlives them all.
private final class Held: @unchecked Sendable {
  // Unchecked: what tasks use of it is sendable.
  let value: EdgeNode
  init(_ value: EdgeNode) { self.value = value }
}

@Suite struct `Addresses that a response names` {
  @Test(arguments: [
    ("/b", "h/b"), ("b", "h/x/b"), ("../b?q=1", "h/b?q=1"), ("./b", "h/x/b"), ("?q", "h/x/a?q"),
    ("http://h/b", "h/b"), ("https://H", "h/"), ("//h/b", "h/b"), ("b#f", "h/x/b"),
    ("../../../b", "h/b"),
  ]) func `one of the same host is found`(_ reference: String, name: String) {
    #expect(EdgeAddress.resolve(reference, against: "h/x/a?z=1")?.lowercased() == name)
  }

  @Test(arguments: ["http://other/b", "//other/b", "mailto:x", "", "http://h.evil/b"])
  func `another's is none`(_ reference: String) {
    #expect(EdgeAddress.resolve(reference, against: "h/x/a") == nil)
  }
}

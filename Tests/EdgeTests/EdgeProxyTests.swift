import Cache
import HTTPClient
import HTTPTypes
import Synchronization
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

  @Test func `what is stale is asked about, and served meanwhile where that is allowed`()
    async throws
  {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D1&age=1&etag=v1&size=50")
    let first = try await edge.get("/o/\(name)")
    // Who asks before it has landed has it asked for once more.
    #expect(try await edge.allHasLanded())
    let second = try await edge.get("/o/\(name)")
    #expect(second.head.cacheWord == "REVALIDATED")
    #expect(second.body == first.body)
    #expect(try await edge.asked(name)["if-none-match"] == "\"v1\"")
    try await edge.set(name, "cc=max-age%3D1,stale-while-revalidate%3D60&age=1&etag=v2&size=50")
    let third = try await edge.get("/o/\(name)")
    #expect(third.head.cacheWord == "EXPIRED")
    #expect(third.body == ScriptedOrigin.body(name, 3, size: 50))
    #expect(try await edge.allHasLanded())
    try await edge.set(name, "cc=max-age%3D60&etag=v3&size=50")
    let fourth = try await edge.get("/o/\(name)")
    #expect(fourth.head.cacheWord == "UPDATING")
    #expect(fourth.body == third.body)
    #expect(
      try await edge.eventually {
        try await edge.get("/o/\(name)").head.headerFields[.eTag] == "\"v3\""
      })
    #expect(try await edge.allHasLanded())
    let asked = try await edge.count(name)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
    #expect(try await edge.count(name) == asked)
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

  @Test(arguments: [HTTPField.Name.authorization, .cookie])
  func `a stranger's error is for nobody who says who he is`(_ says: HTTPField.Name) async throws {
    let edge = try EdgeNode()
    let name = name(#function, says.canonicalName)
    try await edge.set(name, "size=100&hold=1&auth=1")
    let statuses = Mutex<[Int: [Int]]>([:])
    for number in 0..<20 {
      // The first leads, and is a stranger as some of the others are.
      let isStranger = number.isMultiple(of: 4)
      let request = HTTPRequest(
        method: .get, scheme: "https", authority: "e", path: "/o/\(name)",
        headerFields: isStranger ? [:] : [says: "good"])
      edge.proxy.ask(request, name: "e/o/\(name)", isShared: true) { answer in
        guard case .filling(let fill, _) = answer else { return }
        statuses.withLock { $0[isStranger ? 0 : 1, default: []].append(fill.status) }
      }
    }
    #expect(try await edge.eventually { try await edge.count(name) == 1 })
    try await edge.open(name)
    #expect(
      try await edge.eventually {
        statuses.withLock { $0.values.reduce(0) { $0 + $1.count } } == 20
      })
    #expect(statuses.withLock { $0[0] } == Array(repeating: 401, count: 5))
    #expect(statuses.withLock { $0[1] } == Array(repeating: 200, count: 15))
    #expect(try await edge.count(name) <= 16)
  }

  @Test func `what has come since somebody looked is asked for no more`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=100")
    let body = try await edge.get("/o/\(name)").body
    #expect(try await edge.allHasLanded())
    var request = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/o/\(name)")
    func ask() async -> [UInt8] {
      await withCheckedContinuation { [request] continuation in
        edge.proxy.ask(request, name: "127.0.0.1:\(edge.port)/o/\(name)", isShared: true) {
          answer in
          guard case .object(let object, .hit) = answer else {
            // It has been asked for, which is counted.
            if let fill = answer.coming { _ = fill.body.join() }
            return continuation.resume(returning: [])
          }
          continuation.resume(returning: object.body)
        }
      }
    }
    #expect(await ask() == body)
    #expect(try await edge.count(name) == 1)
    // Who wants no such thing gets what is there now.
    request.headerFields[.cacheControl] = "no-cache"
    #expect(await ask() != body)
    #expect(try await edge.count(name) == 2)
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
    // It is kept once all of it has gone to who asked.
    #expect(
      try await edge.eventually { try await edge.get("/o/\(name)").head.cacheWord == "HIT" })
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

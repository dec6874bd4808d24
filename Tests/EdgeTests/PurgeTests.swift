import Cluster
import Foundation
import HTTPServer
import HTTPTypes
import Operator
import Synchronization
import Testing

@testable import Cache
@testable import Edge

@Suite struct `Purges of an edge's cache` {
  private func name(_ function: String = #function) -> String {
    String(function.filter { $0.isLetter })
  }

  /// Has it in the cache: the last byte reaches a client a moment before that, and whoever asks
  /// then joins what is on its way.
  private func keep(_ edge: EdgeNode, _ path: String) async throws {
    let name = "127.0.0.1:\(edge.port)\(path)"
    #expect(
      try await edge.eventually {
        try await edge.get(path).head.cacheWord == "HIT" && edge.proxy.store.has(name)
      })
  }

  private static func targets(_ edge: EdgeNode, _ path: String) -> [Invalidation.Target] {
    [
      .key(path), .key("http://127.0.0.1:\(edge.port)\(path)"),
      .key("127.0.0.1:\(edge.port)\(path)"),
      .prefix(String(path.dropLast(3))), .prefix("HTTP://127.0.0.1:\(edge.port)\(path.dropLast())"),
      .tag("one"), .tag("two"),
    ]
  }

  @Test(arguments: 0..<7)
  func `what is purged hard is asked for anew, whatever it is named by`(_ way: Int) async throws {
    let edge = try EdgeNode()
    let name = name() + "\(way)"
    try await edge.set(name, "cc=max-age%3D600&size=100&tags=one+two")
    let path = "/o/\(name)"
    let first = try await edge.get(path)
    _ = try await edge.get("\(path)x")
    try await keep(edge, path)
    let target = Self.targets(edge, path)[way]
    let count = edge.proxy.purge([Invalidation(target)])
    switch target {
    case .key: #expect(count == 1)
    default: #expect(count >= 1)
    }
    let second = try await edge.get(path)
    #expect(second.head.cacheWord == "MISS")
    #expect(second.body != first.body)
    try await keep(edge, path)
    #expect(edge.proxy.purge([Invalidation(.key(path + "?")), Invalidation(.tag("on"))]) == 0)
    #expect(try await edge.get(path).head.cacheWord == "HIT")
  }

  @Test(arguments: [false, true])
  func `what was confirmed before a purge is for nobody who asks behind it`(isSoft: Bool)
    async throws
  {
    let edge = try EdgeNode()
    let name = name() + "\(isSoft)"
    func tag(_ answer: EdgeAnswer?) -> String? {
      switch answer {
      case .object(let object, _): object.response.headerFields[.eTag]
      case .filling(let fill, _): fill.response.headerFields[.eTag]
      default: nil
      }
    }
    let answers = Answers()
    func note(_ who: String) {
      let request = HTTPRequest(method: .get, scheme: "http", authority: "e", path: "/o/\(name)")
      edge.proxy.ask(request, name: "e/o/\(name)", isShared: true) { answers.note($0, who) }
    }
    try await edge.set(name, "cc=max-age%3D0&version=3")
    note("first")
    #expect(try await edge.eventually { edge.proxy.store.has("e/o/\(name)") })
    // The origin confirms it, but not yet.
    try await edge.set(name, "cc=max-age%3D600&version=3&hold=1")
    note("before")
    #expect(try await edge.eventually { try await edge.count(name) == 2 })
    edge.proxy.purge([Invalidation(.key("/o/\(name)"), isSoft: isSoft)])
    try await edge.set(name, "cc=max-age%3D600&version=4")
    note("behind")
    #expect(tag(answers["behind"]) == nil)
    try await edge.open(name)
    #expect(try await edge.eventually { answers["before"] != nil && answers["behind"] != nil })
    #expect(tag(answers["before"]) == "\"3\"")
    #expect(tag(answers["behind"]) == "\"4\"")
  }

  @Test func `what is purged softly is served while it is asked for anew, or where that fails`()
    async throws
  {
    let edge = try EdgeNode { $0.purgeGrace = 600 }
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=100&etag=v1")
    let first = try await edge.get("/o/\(name)")
    try await keep(edge, "/o/\(name)")
    #expect(edge.proxy.purge([Invalidation(.prefix("/o/\(name)"), isSoft: true)]) == 1)
    try await edge.set(name, "cc=max-age%3D600&size=100&etag=v2&delay=0.3")
    let second = try await edge.get("/o/\(name)")
    #expect(second.head.cacheWord == "UPDATING")
    #expect(second.body == first.body)
    #expect(
      try await edge.eventually {
        try await edge.get("/o/\(name)").head.headerFields[.eTag] == "\"v2\""
      })
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
    edge.proxy.purge([Invalidation(.key("/o/\(name)"), isSoft: true)])
    try await edge.set(name, "drop=1")
    for _ in 0..<3 { #expect(try await edge.get("/o/\(name)").head.status == .ok) }
  }

  @Test func `an origin that allows nothing stale is asked before anybody gets it`() async throws {
    let edge = try EdgeNode { $0.purgeGrace = 600 }
    let name = name()
    try await edge.set(name, "cc=max-age%3D600,must-revalidate&size=100&etag=v1")
    try await keep(edge, "/o/\(name)")
    edge.proxy.purge([Invalidation(.key("/o/\(name)"), isSoft: true)])
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "REVALIDATED")
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
  }

  @Test func `what is on its way while it is purged is not kept, and joined by nobody`()
    async throws
  {
    let edge = try EdgeNode()
    for (number, isSoft) in [false, true].enumerated() {
      let name = name() + "\(number)"
      try await edge.set(name, "cc=max-age%3D600&size=4000&gate=1&tags=t")
      let held = Held(edge)
      async let before = held.value.get("/o/\(name)")
      // Who asks before it has landed waits with the others, and then has to ask for itself alone.
      #expect(
        try await edge.eventually { edge.proxy.readers == 1 && edge.proxy.flights.count == 0 })
      edge.proxy.purge([Invalidation(.tag("t"), isSoft: isSoft)])
      async let after = held.value.get("/o/\(name)")
      #expect(try await edge.eventually { try await edge.count(name) == 2 })
      try await edge.open(name)
      let (first, second) = (try await before, try await after)
      #expect(first.body == ScriptedOrigin.body(name, 1, size: 4_000))
      #expect(second.body == ScriptedOrigin.body(name, 2, size: 4_000))
      try await keep(edge, "/o/\(name)")
      let third = try await edge.get("/o/\(name)")
      #expect(third.head.cacheWord == "HIT")
      #expect(third.body == second.body)
      #expect(try await edge.eventually { edge.proxy.readers == 0 })
    }
  }

  @Test func `a crowd that waits for what is purged meanwhile costs one more request`() async throws
  {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=100&hold=1")
    let bodies = Mutex<[[UInt8]]>([])
    let request = HTTPRequest(method: .get, scheme: "https", authority: "e", path: "/o/\(name)")
    for _ in 0..<40 {
      edge.proxy.ask(request, name: "e/o/\(name)", isShared: true) { answer in
        guard case .filling(let fill, _) = answer else { return }
        fill.body.whenEnded { bodies.withLock { $0.append(fill.body.whole() ?? []) } }
      }
    }
    #expect(try await edge.eventually { try await edge.count(name) == 1 })
    edge.proxy.purge([Invalidation(.key("/o/\(name)"))])
    try await edge.open(name)
    #expect(try await edge.eventually { bodies.withLock { $0.count } == 40 })
    #expect(try await edge.count(name) == 2)
    let wholes = (1...2).map { ScriptedOrigin.body(name, $0, size: 100) }
    // Who led had asked before.
    #expect(bodies.withLock { Set($0) } == Set(wholes))
    #expect(bodies.withLock { $0.count { $0 == wholes[1] } } == 39)
  }

  @Test func `an order is answered when the disk has it`() async throws {
    let folder = NSTemporaryDirectory() + "edge-purge-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let edge = try EdgeNode {
      $0.diskFolder = folder
      $0.purgeWait = .milliseconds(1)
    }
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=100&tags=t")
    _ = try await edge.get("/o/\(name)")
    #expect(try await edge.eventually { edge.proxy.store.diskUsage?.count == 1 })
    let call = PurgeRoute.call(edge.proxy, nil, OperatorSite(names: ["e"]))
    let request = APIRequest(
      request: HTTPRequest(
        method: .post, scheme: "http", authority: "127.0.0.1:9113", path: "/cache/purge"),
      body: Array(#"{"tag": "t"}"#.utf8))
    let tier = try #require(edge.proxy.store.disk?.tier)
    tier.writer.suspend()
    let late = await call.handler(request)
    tier.writer.resume()
    #expect(late.response.status.code == 503)
    #expect(String(decoding: late.body, as: UTF8.self).contains("disk_not_done"))
    // From memory it had gone at once.
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "MISS")
    await tier.settle()
    let patient = try EdgeNode { $0.diskFolder = folder + "/2" }
    let soon = await PurgeRoute.call(patient.proxy, nil, OperatorSite(names: ["e"]))
      .handler(request)
    #expect(soon.response.status.code == 200)
  }

  @Test func `all choices of an address go together`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&vary=x-a&size=100")
    for value in ["1", "2"] { _ = try await edge.get("/o/\(name)", [("X-A", value)]) }
    edge.proxy.purge([Invalidation(.key("/o/\(name)"))])
    for value in ["1", "2"] {
      #expect(try await edge.get("/o/\(name)", [("X-A", value)]).head.cacheWord == "MISS")
    }
  }

  @Test func `what may have been purged unheard is confirmed before anybody gets it`() async throws
  {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(
      name, "cc=max-age%3D600,stale-while-revalidate%3D600,stale-if-error%3D600&size=100&etag=v")
    let first = try await edge.get("/o/\(name)")
    try await keep(edge, "/o/\(name)")
    edge.proxy.doubtAll()
    let second = try await edge.get("/o/\(name)")
    #expect(second.head.cacheWord == "REVALIDATED")
    #expect(second.body == first.body)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
    edge.proxy.doubtAll()
    try await edge.set(name, "drop=1")
    #expect(try await edge.get("/o/\(name)").head.status.code == 502)
  }

  @Test func `ten thousand at once are a few passes, while viewers are served`() async throws {
    let edge = try EdgeNode()
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=20000")
    _ = try await edge.get("/o/\(name)")
    #expect(try await edge.allHasLanded())
    let store = edge.proxy.store
    let freshness = Freshness(
      HTTPResponse(status: .ok, headerFields: [.cacheControl: "max-age=600"]),
      requestedAt: edge.proxy.now, receivedAt: edge.proxy.now, rules: CacheRules())
    for number in 0..<30_000 {
      store.keep(
        EdgeObject(
          "h/w\(number % 10_000)/\(number)", HTTPResponse(status: .ok), body: [1],
          freshness: freshness), fields: [:], since: store.log.moment)
    }
    #expect(store.usage.count == 30_001)
    let clock = ContinuousClock()
    let held = Held(edge)
    let storm = Task.detached { () -> (Int, Duration) in
      var count = 0
      let took = clock.measure {
        count = held.value.proxy.purge(
          (0..<10_000).map { number in
            number % 2 == 0
              ? Invalidation(.prefix("/w\(number)/")) : Invalidation(.key("/w\(number)/\(number)"))
          })
      }
      return (count, took)
    }
    var served = 0
    while edge.proxy.purgeCounts.hard < 10_000 {
      #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
      served += 1
    }
    let (count, took) = await storm.value
    #expect(count == 5_000 * 3 + 5_000)
    #expect(store.usage.count == 10_001)
    #expect(served > 0)
    // A pass for each prefix would be 150 million looks: minutes.
    #expect(took < .seconds(30), "\(took)")
  }

  @Test func `a wedding's name is a tag of all that is under its address`() {
    #expect(
      EdgeAddress.tags(of: "h:1/hls/w1/main/720p/5-x.ts") == [
        "h:1/hls/w1/main/720p/5-x.ts", "/hls/w1/main/720p/5-x.ts", "w1",
      ])
    #expect(EdgeAddress.tags(of: "live/hls/w1/x").last == "w1")
    #expect(EdgeAddress.tags(of: "h/watch/w1?x=1").last == "w1")
    #expect(EdgeAddress.tags(of: "h/other/w1") == ["h/other/w1", "/other/w1"])
    #expect(
      EdgeStore.tags("h/", [.surrogateKey: "a b", .cacheTag: "c, d"]) == [
        "h/", "/", "a", "b", "c", "d",
      ])
  }

  @Test func `prefixes, however many, are found in any text`() {
    let set = PrefixSet(["/b/", "/a", "/a/long", "/c/1", "/c", "z"])
    #expect(set.count == 4)
    for text in ["/a", "/abc", "/a/long/er", "/b/", "/b/x", "/c/2", "z", "zz"] {
      #expect(set.contains(startOf: text.utf8), "\(text)")
    }
    for text in ["", "/", "/b", "a", "/B/", "y", "{"] {
      #expect(!set.contains(startOf: text.utf8), "\(text)")
    }
    #expect(!PrefixSet([]).contains(startOf: "/".utf8))
  }

  @Test func `what has fallen out of the log counts as purged`() {
    let log = PurgeLog()
    let before = log.moment
    for number in 0..<200 { log.note(EdgePurge([.tag("\(number)")])) }
    #expect(log.isPurged("h/x", tags: { ["other"] }, since: before))
    let now = log.moment
    #expect(!log.isPurged("h/x", tags: { ["199"] }, since: now))
    log.note(EdgePurge([.tag("a")]))
    #expect(log.isPurged("h/x", tags: { ["a"] }, since: now))
    #expect(!log.isPurged("h/x", tags: { ["b"] }, since: now))
    log.noteAll()
    #expect(log.isPurged("h/x", tags: { [] }, since: now))
  }
}

@Suite struct `An operator's purge` {
  private func read(_ text: String) throws -> PurgeOrder { try PurgeOrder.read(Array(text.utf8)) }

  @Test func `names one or many, of each kind`() throws {
    let order = try read(#"{"key": "/a", "prefix": ["/b/", "/c/"], "tag": "w", "soft": true}"#)
    #expect(!order.isLocal)
    #expect(
      order.invalidations == [
        Invalidation(.key("/a"), isSoft: true), Invalidation(.prefix("/b/"), isSoft: true),
        Invalidation(.prefix("/c/"), isSoft: true), Invalidation(.tag("w"), isSoft: true),
      ])
    #expect(try read(#"{"tag": "w", "local": true}"#).isLocal)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"tag": ""}"#, #"{"tag": 5}"#, #"{"tga": "w"}"#, #"{"tag": []}"#,
    #"{"tag": "w", "soft": "yes"}"#, "{\"tag\": \"a\\nb\"}",
  ]) func `says what is wrong with one that is none`(_ text: String) {
    #expect(throws: PurgeOrder.Refused.self) { try read(text) }
  }
}

/// What came of questions, by who asked.
private final class Answers: Sendable {
  private let answers = Mutex<[String: EdgeAnswer]>([:])

  subscript(who: String) -> EdgeAnswer? { answers.withLock { $0[who] } }

  func note(_ answer: EdgeAnswer, _ who: String) { answers.withLock { $0[who] = answer } }
}

import Cache
import Cluster
import Foundation
import HTTPClient
import HTTPTypes
import Testing

@testable import Edge

@Suite struct `Large objects in slices` {
  private static let slice = 4_096
  /// Ten slices and a bit.
  private static let size = 10 * slice + 100

  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("edge-slices-\(UUID().uuidString)").path

  private func node(
    port: UInt16 = 0, _ change: (inout EdgeConfiguration) -> Void = { _ in }
  ) throws -> EdgeNode {
    try EdgeNode(port: port) {
      $0.sliceBytes = Self.slice
      change(&$0)
    }
  }

  private func name(_ function: String = #function, _ tail: String = "") -> String {
    String(function.filter { $0.isLetter }) + tail
  }

  private func rule(_ more: String = "", version: Int = 1, age: Int = 600) -> String {
    "cc=max-age%3D\(age)&ranges=1&version=\(version)&size=\(Self.size)\(more)"
  }

  private func whole(_ name: String, _ version: Int = 1) -> [UInt8] {
    ScriptedOrigin.body(name, version, size: Self.size)
  }

  /// Ranges as they are asked for, and what they are: around each slice's ends, suffixes, open ends.
  private static let ranges: [(field: String, range: Range<Int>?)] = {
    var all: [(String, Range<Int>?)] = []
    var edges: [Int] = []
    for number in 0...10 {
      for byte in number * slice - 1...number * slice + 1 where (0..<size).contains(byte) {
        edges.append(byte)
      }
    }
    for start in edges {
      for end in [start, start + 1, start + slice - 1, start + slice, start + 3 * slice] {
        all.append(("bytes=\(start)-\(end)", start..<min(end + 1, size)))
      }
      all.append(("bytes=\(start)-", start..<size))
      if start > 0 { all.append(("bytes=-\(start)", size - start..<size)) }
    }
    all.append(("bytes=0-\(size * 2)", 0..<size))
    all.append(("bytes=-\(size * 2)", 0..<size))
    all.append(("bytes=\(size)-", nil))
    all.append(("bytes=\(size * 3)-\(size * 4)", nil))
    return all
  }()

  private func check(
    _ edge: EdgeNode, _ path: String, _ truth: [UInt8], _ ask: (field: String, range: Range<Int>?)
  ) async throws {
    let answer = try await edge.get(path, [("range", ask.field)])
    guard let range = ask.range else {
      #expect(answer.head.status.code == 416, "\(path) \(ask.field)")
      return
    }
    #expect(answer.head.status.code == 206, "\(path) \(ask.field)")
    #expect(
      answer.head.headerFields[.contentRange]
        == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(Self.size)", "\(ask.field)")
    #expect(answer.body == Array(truth[range]), "\(path) \(ask.field)")
  }

  @Test func `every range is the truth while nothing of it is kept`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule())
    for (number, ask) in Self.ranges.enumerated() {
      try await check(edge, "/o/\(name)?\(number)", whole(name), ask)
    }
  }

  @Test func `every range is the truth while it fills, and each slice is asked for once`()
    async throws
  {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&delay=0.01"))
    let truth = whole(name)
    let held = Held(edge)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for ask in Self.ranges {
        group.addTask { try await check(held.value, "/o/\(name)", truth, ask) }
      }
      for _ in 0..<20 {
        group.addTask {
          let body = try await held.value.get("/o/\(name)").body
          #expect(body == truth)
        }
      }
      try await group.waitForAll()
    }
    // Each of eleven slices once, and what was beyond the end before anybody knew where that is.
    #expect(try await edge.count(name) <= 13)
  }

  @Test(arguments: [0, 1]) func `a slice is read as it comes`(number: Int) async throws {
    let edge = try node()
    let name = name(#function, "\(number)")
    try await edge.set(name, rule("&gate=1000"))
    let range = number * Self.slice..<(number + 1) * Self.slice
    // The first is part of the whole, which is asked for; the second is asked for by itself.
    let body = try edge.stream(
      "/o/\(name)", [.range: "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
    #expect(try await edge.eventually { body.bytes.count == 1_000 })
    try await edge.open(name)
    #expect(try await edge.eventually { body.isWhole })
    #expect(body.bytes == Array(whole(name)[range]))
  }

  @Test func `every range is the truth from memory, and from disk, and nobody is asked`()
    async throws
  {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = name()
    let first = try node { $0.diskFolder = folder }
    try await first.set(name, rule())
    let truth = whole(name)
    #expect(try await first.get("/o/\(name)").body == truth)
    let asked = try await first.count(name)
    #expect(asked == 11)
    for ask in Self.ranges { try await check(first, "/o/\(name)", truth, ask) }
    #expect(try await first.get("/o/\(name)").head.cacheWord == "HIT")
    #expect(try await first.count(name) == asked)
    #expect(try await first.eventually { first.proxy.store.diskUsage?.count == 12 })
    first.stop()
    for ask in Self.ranges.indices where ask % 40 == 0 {
      // Each with nothing in memory.
      let next = try node(port: first.port) { $0.diskFolder = folder }
      #expect(try await next.eventually { next.proxy.store.diskUsage?.count == 12 })
      try await check(next, "/o/\(name)", truth, Self.ranges[ask])
      #expect(try await next.get("/o/\(name)").body == truth)
      next.stop()
    }
    let last = try node(port: first.port) { $0.diskFolder = folder }
    #expect(try await last.eventually { last.proxy.store.diskUsage?.count == 12 })
    for ask in Self.ranges { try await check(last, "/o/\(name)", truth, ask) }
    #expect(try await last.count(name) == asked)
  }

  @Test func `a range of the end is had without what stands before it`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule())
    let start = Self.size - 50
    let answer = try await edge.get("/o/\(name)", [("range", "bytes=\(start)-")])
    #expect(answer.body == Array(whole(name)[start...]))
    #expect(answer.head.cacheWord == "MISS")
    #expect(try await edge.count(name) == 1)
    #expect(try await edge.asked(name)["range"] == "bytes=40960-45055")
    #expect(
      try await edge.get("/o/\(name)", [("range", "bytes=\(start)-")]).head.cacheWord == "HIT")
    #expect(try await edge.count(name) == 1)
  }

  @Test func `several ranges at once come as parts`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule())
    let truth = whole(name)
    for round in 0..<2 {
      // The second stands before the first, in the same slice.
      let answer = try await edge.get(
        "/o/\(name)", [("range", "bytes=9000-9999,8200-8300,-10,100-20000")])
      #expect(answer.head.status.code == 206, "round \(round)")
      let type = try #require(answer.head.headerFields[.contentType])
      let boundary = try #require(type.split(separator: "=").last)
      let text = String(decoding: answer.body, as: UTF8.self)
      let parts = text.components(separatedBy: "--\(boundary)")
      #expect(parts.count == 6)
      for (part, range) in zip(
        parts.dropFirst(),
        [9_000..<10_000, 8_200..<8_301, Self.size - 10..<Self.size, 100..<20_001])
      {
        let (head, body) = try #require(part.split(at: "\r\n\r\n"))
        #expect(
          head.contains(
            "content-range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(Self.size)"))
        #expect(Array(body.utf8.dropLast(2)) == Array(truth[range]))
      }
    }
  }

  @Test func `conditions are seen to, and a HEAD says how long the whole is`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule())
    let truth = whole(name)
    _ = try await edge.get("/o/\(name)", [("range", "bytes=5000-5001")])
    for (field, value, status) in [
      ("If-None-Match", "\"1\"", 304), ("If-None-Match", "\"2\"", 200), ("If-Match", "\"2\"", 412),
      ("If-Match", "\"1\"", 200),
    ] {
      let answer = try await edge.get("/o/\(name)", [(field, value)])
      #expect(answer.head.status.code == status, "\(field): \(value)")
      if status == 200 { #expect(answer.body == truth) }
    }
    for (tag, count) in [("\"1\"", 10), ("\"2\"", Self.size), ("W/\"1\"", Self.size)] {
      let answer = try await edge.get(
        "/o/\(name)", [("range", "bytes=20000-20009"), ("If-Range", tag)])
      #expect(answer.body.count == count, "\(tag)")
    }
    let head = try await edge.get("/o/\(name)", method: .head)
    #expect(head.head.headerFields[.contentLength] == "\(Self.size)")
    #expect(head.head.headerFields[.acceptRanges] == "bytes")
    #expect(head.body.isEmpty)
  }

  // MARK: Another version

  @Test func `an object that has changed gives an error, and is had anew, never mixed`()
    async throws
  {
    let edge = try node()
    let name = name()
    let (old, new) = (whole(name, 1), whole(name, 2))
    try await edge.set(name, rule())
    // Four slices of the first version, and the next one, which is on its way with them.
    let part = try await edge.get("/o/\(name)", [("range", "bytes=0-16383")])
    #expect(part.body == Array(old[..<16_384]))
    try await edge.set(name, rule(version: 2))
    await #expect(throws: HTTPClientError.self) { _ = try await edge.get("/o/\(name)") }
    let answer = try await edge.get("/o/\(name)")
    #expect(answer.head.headerFields[.eTag] == "\"2\"")
    #expect(answer.body == new)
    for ask in Self.ranges { try await check(edge, "/o/\(name)", new, ask) }
    #expect(edge.proxy.slices.counts.changed == 1)
  }

  @Test func `who has got nothing of it yet gets the new version`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule())
    _ = try await edge.get("/o/\(name)", [("range", "bytes=0-10")])
    _ = try await edge.get("/o/\(name)", [("range", "bytes=5000-5010")])
    try await edge.set(name, rule(version: 2))
    let answer = try await edge.get("/o/\(name)", [("range", "bytes=30000-30009")])
    #expect(answer.head.status.code == 206)
    #expect(answer.head.headerFields[.eTag] == "\"2\"")
    #expect(answer.body == Array(whole(name, 2)[30_000..<30_010]))
  }

  @Test func `an object that has become shorter, or has gone, is what it is now`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule())
    _ = try await edge.get("/o/\(name)", [("range", "bytes=5000-5010")])
    try await edge.set(name, "cc=max-age%3D600&ranges=1&version=2&size=5000")
    let answer = try await edge.get("/o/\(name)", [("range", "bytes=30000-30009")])
    #expect(answer.head.status.code == 416)
    #expect(try await edge.get("/o/\(name)").body.count == 5_000)
    try await edge.set(name + "b", rule())
    _ = try await edge.get("/o/\(name)b", [("range", "bytes=5000-5010")])
    try await edge.set(name + "b", "status=404&size=10")
    #expect(
      try await edge.get("/o/\(name)b", [("range", "bytes=30000-30009")]).head.status.code == 404)
  }

  @Test func `an origin with another version each time is an error, not a loop`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&flap=1"))
    await #expect(throws: HTTPClientError.self) { _ = try await edge.get("/o/\(name)") }
    #expect(try await edge.count(name) < 20)
  }

  // MARK: Lies

  @Test(arguments: ["&shift=1", "&long=1&chunked=1", "&cut=4000", "&cut=4000&chunked=1"])
  func `a slice that isn't what it is said to be is an error, and is not kept`(_ lie: String)
    async throws
  {
    let edge = try node()
    let name = name(#function, lie.filter { $0.isLetter })
    try await edge.set(name, rule(lie))
    for _ in 0..<2 {
      do {
        let answer = try await edge.get("/o/\(name)", [("range", "bytes=5000-9000")])
        #expect(answer.head.status.code == 502)
      } catch {
        #expect(error is HTTPClientError)
      }
    }
    try await edge.set(name, rule())
    try await check(edge, "/o/\(name)", whole(name), ("bytes=5000-9000", 5_000..<9_001))
  }

  @Test func `a slice that breaks off is asked of another upstream`() async throws {
    let other = try ScriptedOrigin()
    let edge = try node {
      $0.upstreams = [$0.upstreams[0], Upstream(other.address)].compactMap { $0 }
    }
    let name = name()
    // The other one is asked what it knows by the address alone, as nothing was set there.
    let query = rule()
    try await edge.set(name, rule("&cut=3000"))
    var whole = 0
    for number in 0..<6 {
      let answer = try await edge.get(
        "/o/\(name)?\(query)&n=\(number)", [("range", "bytes=5000-")])
      #expect(answer.body == Array(self.whole(name)[5_000...]))
      whole += 1
    }
    #expect(whole == 6)
  }

  // MARK: What isn't cut

  @Test(arguments: ["&weak=1", "&ranges=0", "&modified=x", "&cc=private", "&vary=*"])
  func `what can't be told from another version is kept whole or not at all`(_ how: String)
    async throws
  {
    let edge = try node()
    let name = name(#function, how.filter { $0.isLetter })
    try await edge.set(name, rule(how))
    for field in ["bytes=5000-5009", "bytes=0-9", "bytes=-10"] {
      let answer = try await edge.get("/o/\(name)", [("range", field)])
      #expect(answer.head.status.code == 206, "\(field)")
      #expect(answer.body.count == 10, "\(field)")
    }
    #expect(try await edge.get("/o/\(name)").body == whole(name))
    #expect(edge.proxy.slices.counts.upstream == 0)
  }

  @Test func `a date that is long past is as good as a tag`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&modified=Sun,%2006%20Nov%201994%2008:49:37%20GMT"))
    #expect(try await edge.get("/o/\(name)").body == whole(name))
    #expect(try await edge.count(name) == 11)
  }

  @Test func `switched off, a whole is asked for as before`() async throws {
    let edge = try node { $0.sliceBytes = 0 }
    let name = name()
    try await edge.set(name, rule())
    try await check(edge, "/o/\(name)", whole(name), ("bytes=5000-9000", 5_000..<9_001))
    #expect(try await edge.asked(name)["range"] == nil)
  }

  @Test func `one of a few slices is kept whole`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&ranges=1&version=1&size=16384")
    #expect(try await edge.get("/o/\(name)").body.count == 16_384)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
    #expect(try await edge.count(name) == 1)
  }

  // MARK: Age and purges

  @Test func `what is stale is asked about, and its slices stay`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&age=1", age: 1))
    _ = try await edge.get("/o/\(name)", [("range", "bytes=5000-5010")])
    let count = try await edge.count(name)
    let again = try await edge.get("/o/\(name)", [("range", "bytes=5000-5010")])
    #expect(again.head.cacheWord == "REVALIDATED")
    #expect(again.body == Array(whole(name)[5_000..<5_011]))
    #expect(try await edge.asked(name)["if-none-match"] == "\"1\"")
    #expect(try await edge.count(name) == count + 1)
  }

  @Test func `slices go with a purge of their object, or are asked about after a soft one`()
    async throws
  {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&tags=film"))
    // A client has the last byte a moment before it is kept.
    func isKept() async throws -> Bool {
      try await edge.eventually { edge.proxy.store.usage.count == 12 }
    }
    #expect(try await edge.get("/o/\(name)").body == whole(name))
    #expect(try await isKept())
    #expect(edge.proxy.purge([Invalidation(.tag("film"), isSoft: true)]) == 1)
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "UPDATING")
    #expect(
      try await edge.eventually { try await edge.get("/o/\(name)").head.cacheWord == "HIT" })
    #expect(try await edge.count(name) == 12)
    for target in [Invalidation.Target.tag("film"), .key("/o/\(name)"), .prefix("/o/\(name)")] {
      #expect(try await isKept())
      #expect(edge.proxy.purge([Invalidation(target)]) == 12)
      #expect(edge.proxy.store.usage.count == 0)
      #expect(try await edge.get("/o/\(name)").body == whole(name))
    }
  }

  @Test func `choices by other fields have slices of their own`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&vary=x-a"))
    for value in ["1", "2", "1"] {
      let answer = try await edge.get("/o/\(name)", [("X-A", value)])
      #expect(answer.body == whole(name))
    }
    #expect(try await edge.count(name) == 22)
  }
}

extension String {
  fileprivate func split(at mark: String) -> (String, String)? {
    guard let range = range(of: mark) else { return nil }
    return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
  }
}

/// Lends an edge to tasks; it outlives them all.
private final class Held: @unchecked Sendable {
  // Unchecked: what tasks use of it is sendable.
  let value: EdgeNode
  init(_ value: EdgeNode) { self.value = value }
}

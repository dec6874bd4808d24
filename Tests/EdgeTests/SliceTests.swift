import Cache
import Cluster
import Foundation
import HTTPClient
import HTTPTypes
import Testing

@testable import Edge

@Suite struct `Large objects in slices`: SlicedObjects {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("edge-slices-\(UUID().uuidString)").path

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

  @Test func `whatever is asked of an upstream names the host by which it is kept`() async throws {
    let edge = try node()
    let (cut, whole) = (name(), name(#function, "w"))
    try await edge.set(cut, rule())
    try await edge.set(whole, "cc=max-age%3D0&etag=x&size=100")
    let host = [("host", "Film.Example:8443")]
    for _ in 0..<2 {
      let ask = host + [("range", "bytes=9000-9009")]
      #expect(try await edge.get("/o/\(cut)", ask).head.status.code == 206)
      #expect(try await edge.asked(cut)["host"] == "film.example:8443")
      // Then whether it is still true.
      #expect(try await edge.get("/o/\(whole)", host).head.status.code == 200)
      #expect(try await edge.asked(whole)["host"] == "film.example:8443")
    }
    #expect(try await edge.asked(whole)["if-none-match"] == "\"x\"")
    _ = try await edge.get("/o/\(whole)", host, method: .delete)
    #expect(try await edge.asked(whole)["host"] == "film.example:8443")
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

  @Test func `what is longer than parts of it can be counted is not cut`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&total=\(Int.max)"))
    let path = "/o/\(name)"
    let answer = try await edge.get(path, [("range", "bytes=20000-20009")])
    #expect(answer.body == Array(whole(name)[20_000...20_009]))
    // Together with what stands between them these are more than a number says.
    let parts = try await edge.get(
      path, [("range", "bytes=0-\(Int.max - 100),\(Int.max - 90)-\(Int.max - 1)")])
    #expect(parts.body == whole(name))
    #expect(try await edge.allHasLanded())
    guard case .object = edge.proxy.store.find("127.0.0.1:\(edge.port)\(path)", [:]).entry else {
      Issue.record("it isn't kept whole")
      return
    }
  }
}

extension String {
  fileprivate func split(at mark: String) -> (String, String)? {
    guard let range = range(of: mark) else { return nil }
    return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
  }
}

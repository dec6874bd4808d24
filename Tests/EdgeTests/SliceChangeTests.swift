import Cache
import Cluster
import Foundation
import HTTPClient
import HTTPSemantics
import HTTPTypes
import Testing

@testable import Edge

@Suite struct `Large objects that change, or are not what they are said to be`: SlicedObjects {
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

  @Test func `a version is known by every byte of its tag, and the tag is handed on`() async throws
  {
    let edge = try node()
    let name = name()
    // The origin sends a byte for the one letter of the tag: e9, then e8.
    try await edge.set(name, rule("&etag=%C3%A9"))
    let part = try await edge.get("/o/\(name)", [("range", "bytes=0-16383")])
    #expect(part.body == Array(whole(name, 1)[..<16_384]))
    let tag = try #require(part.head.headerFields[.eTag])
    #expect(FieldText.bytes(tag) == [0x22, 0xe9, 0x22])
    let same = try await edge.get("/o/\(name)", [("if-none-match", tag)])
    #expect(same.head.status.code == 304)
    try await edge.set(name, rule("&etag=%C3%A8", version: 2))
    await #expect(throws: HTTPClientError.self) { _ = try await edge.get("/o/\(name)") }
    let answer = try await edge.get("/o/\(name)", [("if-none-match", tag)])
    #expect(answer.body == whole(name, 2))
    #expect(FieldText.bytes(answer.head.headerFields[.eTag] ?? "") == [0x22, 0xe8, 0x22])
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
}

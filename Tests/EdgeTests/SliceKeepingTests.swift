import Cache
import Cluster
import Foundation
import HTTPClient
import HTTPTypes
import Testing

@testable import Edge

@Suite struct `What is kept of large objects`: SlicedObjects {
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

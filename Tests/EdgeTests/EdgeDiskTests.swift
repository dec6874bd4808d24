import Cache
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import Edge

@Suite struct `What an edge has on disk` {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("edge-disk-\(UUID().uuidString)").path

  private func node(after first: EdgeNode? = nil) throws -> EdgeNode {
    first?.stop()
    return try EdgeNode(port: first?.port ?? 0) { $0.diskFolder = folder }
  }

  /// Waits until the disk is as large as it is to be.
  private func stored(_ count: Int, on edge: EdgeNode) async throws {
    #expect(try await edge.eventually { edge.proxy.store.diskUsage?.count == count })
  }

  @Test func `the next process finds it, and asks nobody`() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = "disk-restart"
    let first = try node()
    try await first.set(name, "cc=max-age%3D600&size=300000&etag=x")
    let before = try await first.get("/o/\(name)")
    try await stored(1, on: first)
    let second = try node(after: first)
    try await stored(1, on: second)
    let after = try await second.get("/o/\(name)")
    #expect(after.head.cacheWord == "HIT")
    #expect(after.body.elementsEqual(before.body), "another body")
    #expect(after.head.headerFields[.eTag] == before.head.headerFields[.eTag])
    #expect(try await second.count(name) == 1)
    // From memory now, and a part of it.
    let part = try await second.get("/o/\(name)", [("range", "bytes=1000-1999")])
    #expect(part.head.status == .partialContent)
    #expect(part.body.elementsEqual(before.body[1_000..<2_000]), "another part")
  }

  @Test func `those who wait for it together get each the choice that is theirs`() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = "disk-choices"
    let first = try node()
    try await first.set(name, "cc=max-age%3D600&size=100&vary=x-a")
    var bodies: [[UInt8]] = []
    for choice in ["0", "1"] {
      bodies.append(try await first.get("/o/\(name)", [("X-A", choice)]).body)
    }
    // The rule by which they are chosen, too.
    try await stored(3, on: first)
    let second = try node(after: first)
    try await stored(3, on: second)
    let asked = "127.0.0.1:\(second.port)/o/\(name)"
    let got = Mutex<[Int: Set<[UInt8]>]>([:])
    let count = Atomic(0)
    for number in 0..<200 {
      var request = HTTPRequest(
        method: .get, scheme: "http", authority: "e", path: "/o/\(name)")
      request.headerFields[try #require(HTTPField.Name("X-A"))] = "\(number % 2)"
      second.proxy.ask(request, name: asked, isShared: true) { answer in
        if case .object(let object, _) = answer {
          got.withLock { _ = $0[number % 2, default: []].insert(object.body) }
        }
        count.add(1, ordering: .relaxed)
      }
    }
    #expect(try await second.eventually { count.load(ordering: .relaxed) == 200 })
    #expect(got.withLock { $0 } == [0: [bodies[0]], 1: [bodies[1]]])
  }

  @Test func `what has expired there is asked for with its conditions`() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = "disk-expired"
    let first = try node()
    try await first.set(name, "cc=max-age%3D1&size=1000&etag=x")
    let before = try await first.get("/o/\(name)")
    try await stored(1, on: first)
    let second = try node(after: first)
    try await stored(1, on: second)
    let isOld = try await second.eventually {
      try await second.get("/o/\(name)").head.cacheWord == "REVALIDATED"
    }
    #expect(isOld)
    #expect(try await second.get("/o/\(name)").body.elementsEqual(before.body), "another body")
  }

  @Test func `what was taken away under it is of use to the next process again`() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = "disk-taken"
    let first = try node()
    try await first.set(name, "cc=max-age%3D600&size=1000")
    _ = try await first.get("/o/\(name)?1")
    try await stored(1, on: first)
    try FileManager.default.removeItem(atPath: folder)
    let before = try await first.get("/o/\(name)?2")
    #expect(try await first.eventually { first.proxy.store.diskUsage?.written == 2 })
    let second = try node(after: first)
    try await stored(1, on: second)
    let after = try await second.get("/o/\(name)?2")
    #expect(after.head.cacheWord == "HIT")
    #expect(after.body.elementsEqual(before.body), "another body")
  }

  @Test func `another process with another secret finds nothing`() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = "disk-secret"
    let first = try node()
    try await first.set(name, "cc=max-age%3D600&size=1000")
    _ = try await first.get("/o/\(name)")
    try await stored(1, on: first)
    try FileManager.default.removeItem(atPath: folder + "/hash.key")
    let second = try node(after: first)
    #expect(try await second.get("/o/\(name)").head.cacheWord == "MISS")
  }

  @Test func `a head is what it was`() throws {
    var response = HTTPResponse(status: .init(code: 203))
    response.headerFields.append(.init(name: .contentType, value: "a/b"))
    response.headerFields.append(.init(name: .setCookie, value: "1"))
    response.headerFields.append(.init(name: .setCookie, value: "2"))
    let freshness = Freshness(response, requestedAt: 5, receivedAt: 7, rules: CacheRules())
    let object = EdgeObject("n", response, body: [1, 2], freshness: freshness)
    let bytes = try #require(EdgeDiskHead(object).bytes)
    let key = CacheKey(low: 1, high: 2)
    let file = DiskObject(key: key, name: "n", tags: ["t"], head: bytes, body: [1, 2])
    guard case .object(let read, _, let tags) = EdgeDiskHead(bytes)?.found(file, grace: 0) else {
      Issue.record("no object")
      return
    }
    #expect(read.response == response)
    #expect(read.freshness == freshness)
    #expect(read.body == [1, 2])
    #expect(tags == ["t"])
    #expect(EdgeDiskHead(Array("{\"status\":9}".utf8))?.found(file, grace: 0) == nil)
    #expect(EdgeDiskHead([0xff]) == nil)
  }
}

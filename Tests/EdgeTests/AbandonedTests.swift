import Cache
import HTTPTypes
import Testing

@testable import Edge

@Suite struct `Responses that nobody reads any more`: SlicedObjects {
  private func node(rate: Int = 1 << 20) throws -> EdgeNode {
    try node { $0.unreadPace = UnreadPace.Rule(rate: rate, over: .milliseconds(1)) }
  }

  private func refresh(_ edge: EdgeNode, _ path: String, mayBeCut: Bool = false) {
    edge.proxy.refresh(
      HTTPRequest(method: .get, scheme: "http", authority: "e", path: path), name: "e\(path)",
      mayBeCut: mayBeCut)
  }

  @Test(arguments: ["", "&chunked=1"])
  func `end where they come too slowly`(_ more: String) async throws {
    let edge = try node()
    let name = name(#function, more.isEmpty ? "" : "c")
    try await edge.set(name, "cc=max-age%3D600&size=1000000&drip=1\(more)")
    refresh(edge, "/o/\(name)")
    #expect(try await edge.eventually { edge.proxy.abandonedCount == 1 })
    #expect(try await edge.allHasLanded())
    // Whoever asks then asks anew.
    try await edge.set(name, "cc=max-age%3D600&size=100")
    #expect(try await edge.get("/o/\(name)").body == ScriptedOrigin.body(name, 2, size: 100))
  }

  @Test func `end in slices, too`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, rule("&drip=1"))
    // The first one comes with the head of the whole.
    refresh(edge, "/o/\(name)", mayBeCut: true)
    #expect(try await edge.eventually { edge.proxy.abandonedCount == 1 })
    guard case .sliced(let object) = edge.proxy.store.find("e/o/\(name)", [:]).entry else {
      Issue.record("it isn't kept in slices")
      return
    }
    let request = HTTPRequest(
      method: .get, scheme: "http", authority: "e", path: "/o/\(name)")
    edge.proxy.slices.prefetch(
      2, of: object, for: edge.proxy.order(request, for: object, from: nil))
    #expect(try await edge.eventually { edge.proxy.abandonedCount == 2 })
  }

  @Test func `go on for as long as one reads, however slowly they come`() async throws {
    let edge = try node()
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=3&drip=1&gate=1")
    let body = try edge.stream("/o/\(name)")
    // One byte comes before it is read.
    #expect(try await edge.eventually { edge.proxy.readers == 1 })
    try await edge.open(name)
    #expect(try await edge.eventually { body.isWhole })
    #expect(body.bytes == ScriptedOrigin.body(name, 1, size: 3))
    #expect(edge.proxy.abandonedCount == 0)
  }

  @Test func `go on where they come fast enough`() async throws {
    let edge = try node(rate: 1)
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=4000000")
    refresh(edge, "/o/\(name)")
    #expect(try await edge.eventually { edge.proxy.store.has("e/o/\(name)") })
    #expect(edge.proxy.abandonedCount == 0)
  }
}

import BlockingSupport
import Cluster
import ControlAPI
import Records
import RedisSupport
import Telemetry
import Testing

@testable import Edge
@testable import wedlive

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Where a recording is` {
  let nodes: RecordingNodes

  init() async throws { nodes = try await RecordingNodes() }

  /// A place in a word.
  private func find(_ id: String, with finder: RecordingFinder? = nil) async -> String {
    switch await (finder ?? nodes.finder).find(id, ofWedding: nil) {
    case .node(let node): node.id.text
    case .own: "own"
    case .away(let name): "\(name) is away"
    case .nobody: "nobody"
    case .unclear(let words): words
    }
  }

  @Test func `is as nodes have told Redis, without asking them`() async throws {
    try await nodes.tell(NodeRecordings.info("a"), of: "two")
    try await nodes.tell(NodeRecordings.info("b"), of: "one")
    #expect(await find("a") == "two")
    #expect(await find("b") == "own")
    nodes.takeDown("two")
    #expect(await find("a") == "two is away")
    #expect(nodes.asked == [])
  }

  @Test func `is asked of all others where none has told of it, and known then`() async throws {
    nodes["three"].put(NodeRecordings.info("new"))
    let finder = nodes.finder
    #expect(await find("new", with: finder) == "three")
    #expect(nodes.asked == ["three: GET new", "two: GET new"])
    #expect(await find("new", with: finder) == "three")
    #expect(nodes.asked.count == 2)
  }

  @Test func `nowhere where nobody has it, who isn't asked again at once`() async throws {
    let finder = nodes.finder
    #expect(await find("x", with: finder) == "nobody")
    #expect(await find("x", with: finder) == "nobody")
    #expect(nodes.asked == ["three: GET x", "two: GET x"])
    // Redis has all that nodes have told it: one that gives no answer has it no more than others.
    nodes.silence("two")
    #expect(await find("y", with: finder) == "nobody")
    nodes.takeDown("three")
    #expect(await find("z", with: finder) == "nobody")
  }

  @Test func `isn't clear where neither Redis nor all nodes can say`() async throws {
    nodes["three"].put(NodeRecordings.info("a"))
    nodes.redis.kill()
    let finder = nodes.finder
    #expect(await find("a", with: finder) == "three")
    #expect(await find("x", with: finder) == "nobody")
    nodes.silence("two")
    let words = await find("y", with: finder)
    #expect(
      words.hasPrefix("two can't be reached, and Redis, which knows what they have, can't tell"))
    nodes.takeDown("three")
    #expect(await find("z", with: finder).hasPrefix("three, two can't be reached"))
  }

  @Test func `is counted by how it went`() async throws {
    try await nodes.tell(NodeRecordings.info("a"), of: "two")
    let finder = nodes.finder
    for id in ["a", "x", "y"] { _ = await find(id, with: finder) }
    nodes.takeDown("two")
    _ = await find("a", with: finder)
    func count(_ result: String) -> UInt64 {
      nodes.registry.counter(
        "wedlive_recording_lookups_total", help: "", labels: ["result": result]
      ).value
    }
    #expect(["found", "away", "nobody", "unclear"].map(count) == [1, 1, 2, 0])
  }

  @Test func `is told to edges with an address, or why there is none`() async throws {
    try await nodes.tell(NodeRecordings.info("a"), of: "two")
    let locator = nodes.finder.locator
    let name = try #require(RecordingLocator.Name(path: "/hls/w/recordings/a/index.m3u8"))
    #expect(locator.known(name) == nil)
    guard case .node(let upstream, let words) = await locator.find(name) else {
      Issue.record("it is at a node")
      return
    }
    #expect("\(upstream)" == "https://two.example:8444")
    #expect(words.contains("This recording is on two"))
    nodes.takeDown("two")
    guard case .away(let words) = locator.known(name) else {
      Issue.record("its node is away")
      return
    }
    #expect(words == RecordingFinder.away("two"))
    let nothing = try #require(RecordingLocator.Name(path: "/hls/w/recordings/x/index.m3u8"))
    guard case .nobody = await locator.find(nothing) else {
      Issue.record("nobody has it")
      return
    }
  }
}

import HTTPTypes
import Testing

@testable import Edge

@Suite struct `Recordings at an edge` {
  private static let path = "/hls/w/recordings/rec_a/index.m3u8"
  private static let node = Upstream(scheme: "http", authority: "one:1")

  private func pools(_ place: RecordingLocator.Place) -> RecordingPools {
    RecordingPools(
      RecordingLocator(known: { _ in place }, find: { _ in place }), rules: UpstreamPool.Rules())
  }

  @Test func `a file's address names its recording`() throws {
    let name = try #require(RecordingLocator.Name(path: Self.path))
    #expect(name.wedding == "w")
    #expect(name.id == "rec_a")
  }

  @Test(arguments: [
    "", "/", "/hls/w/index.m3u8", "/hls/w/main/source/index.m3u8", "/hls/w/recordings/rec_a",
    "/hls/w/recordings//index.m3u8", "/hls//recordings/rec_a/index.m3u8",
    "/api/w/recordings/rec_a/index.m3u8", "/hls/w/recordings/rec_a/more/index.m3u8",
    "hls/w/recordings/rec_a/index.m3u8", "/hls/w/main/rec_a/index.m3u8",
  ])
  func `other addresses name none`(path: String) {
    #expect(RecordingLocator.Name(path: path) == nil)
  }

  @Test func `the node that keeps it is asked, and what is wrong is said where that is silent`()
    async throws
  {
    let name = try #require(RecordingLocator.Name(path: Self.path))
    let pools = pools(.node(Self.node, words: "one is away"))
    let pool = try #require(pools.known(name))
    #expect(await pools.find(name) === pool)
    let use = try #require(pool.use())
    #expect(use.upstream == Self.node)
    #expect(pool.use(besides: [Self.node]) == nil)
    #expect(pool.absence?.status == 503)
    #expect(pool.absence?.words == "one is away")
  }

  @Test func `nobody is asked where the node is away, and any where nobody has it`() async throws {
    let name = try #require(RecordingLocator.Name(path: Self.path))
    let away = try #require(pools(.away(words: "two is away")).known(name))
    #expect(away.use() == nil)
    #expect(away.absence?.code == "node_away")
    #expect(away.absence?.words == "two is away")
    #expect(await pools(.nobody).find(name) == nil)
  }

  // MARK: What a viewer gets

  /// What comes of asking a pool for an object.
  private func ask(
    _ edge: EdgeNode, _ name: String, range: String? = nil, from pool: UpstreamPool
  ) async -> EdgeAnswer {
    var request = HTTPRequest(
      method: .get, scheme: "https", authority: "edge", path: "/o/\(name)")
    request.headerFields[.range] = range
    let asked = request
    return await withCheckedContinuation { continuation in
      edge.proxy.ask(asked, name: "edge/o/\(name)", isShared: true, from: pool, mayBeCut: true) {
        continuation.resume(returning: $0)
      }
    }
  }

  /// The first is nobody's, the second a node's that takes no connections.
  @Test(arguments: [[], [Upstream(scheme: "http", authority: "127.0.0.1:1")]])
  func `what only a node has that is away is unavailable for now`(nodes: [Upstream]) async throws {
    let edge = try EdgeNode { $0.sliceBytes = 1_000 }
    let pool = UpstreamPool(nodes, rules: UpstreamPool.Rules(), absence: .away("one is away"))
    for range in [nil, "bytes=5000-5999"] {
      let answer = await ask(edge, "away", range: range, from: pool)
      guard case .failed(let failure) = answer else {
        Issue.record("there is nothing to be had: \(answer)")
        continue
      }
      #expect(failure.status == 503)
      #expect(failure.code == "node_away")
      #expect(failure.words == "one is away")
    }
  }
}

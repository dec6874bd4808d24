import EventLoop
import Testing

@testable import Edge

@Suite struct `Upstreams of an edge` {
  private static let names = ["http://a:1", "http://b:2", "http://c:3"]

  private func pool(maxFails: Int = 3) throws -> UpstreamPool {
    var rules = UpstreamPool.Rules()
    rules.maxFails = maxFails
    return UpstreamPool(try Self.names.map { try #require(Upstream($0)) }, rules: rules)
  }

  @Test(arguments: [
    ("http://a", "http", "a"), ("https://A.example:8443/", "https", "a.example:8443"),
    ("http://[::1]:80", "http", "[::1]:80"),
  ])
  func `an address names a scheme and a host`(_ text: String, _ scheme: String, _ host: String) {
    #expect(Upstream(text) == Upstream(scheme: scheme, authority: host))
  }

  @Test(arguments: [
    "", "a:80", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:99999", "http://a/b",
    "http://u@a", "http://a?x", "http://[]:80", "http://a b",
  ])
  func `anything else is none`(_ text: String) { #expect(Upstream(text) == nil) }

  @Test func `the one with the fewest requests is asked, and equals take turns`() throws {
    let pool = try pool()
    var held: [UpstreamUse] = []
    for _ in 0..<300 { held.append(try #require(pool.use())) }
    #expect(pool.members.map(\.active) == [100, 100, 100])
    held.removeAll { $0.upstream.authority == "b:2" }
    for _ in 0..<60 { held.append(try #require(pool.use())) }
    #expect(pool.members.map(\.active) == [100, 60, 100])
    held.removeAll()
    #expect(pool.members.map(\.active) == [0, 0, 0])
  }

  @Test func `counts are exact after ten thousand requests from many threads`() async throws {
    let pool = try pool()
    await withTaskGroup { group in
      for task in 0..<20 {
        group.addTask {
          for number in 0..<500 {
            guard let use = pool.use() else { continue }
            if (number + task).isMultiple(of: 7) { use.failed() } else { use.succeeded() }
          }
        }
      }
    }
    #expect(pool.members.map(\.active) == [0, 0, 0])
    #expect(pool.members.map(\.requests).reduce(0, +) == 10_000)
  }

  @Test func `one that failed three times rests, and is asked again thereafter`() throws {
    let pool = try pool()
    let start = MonotonicTime.now
    let a = try #require(Upstream("http://a:1"))
    for _ in 0..<3 { pool.note(a, failed: true, at: start) }
    let asked = Set((0..<30).compactMap { _ in pool.use(at: start)?.upstream.authority })
    #expect(asked == ["b:2", "c:3"])
    let later = start + .seconds(31)
    #expect((0..<3).contains { _ in pool.use(at: later)?.upstream == a })
  }

  @Test func `failures that are far apart, or before a success, don't count together`() throws {
    let pool = try pool()
    let a = try #require(Upstream("http://a:1"))
    var now = MonotonicTime.now
    for _ in 0..<5 {
      pool.note(a, failed: true, at: now)
      now = now + .seconds(31)
    }
    pool.note(a, failed: true, at: now)
    pool.note(a, failed: false, at: now)
    pool.note(a, failed: true, at: now)
    #expect((0..<3).contains { _ in pool.use(at: now)?.upstream == a })
  }

  @Test func `where all rest the one that has rested longest is asked`() throws {
    let pool = try pool(maxFails: 1)
    let start = MonotonicTime.now
    for (index, name) in ["http://b:2", "http://a:1", "http://c:3"].enumerated() {
      pool.note(try #require(Upstream(name)), failed: true, at: start + .seconds(index))
    }
    #expect(pool.use(at: start + .seconds(3))?.upstream.authority == "b:2")
  }

  @Test func `none is asked twice for one request`() throws {
    let pool = try pool()
    var tried: Set<Upstream> = []
    while let use = pool.use(besides: tried) { tried.insert(use.upstream) }
    #expect(tried.count == 3)
  }
}

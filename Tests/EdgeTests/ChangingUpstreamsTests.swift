import EventLoop
import Synchronization
import Testing

@testable import Edge

@Suite struct `Upstreams that come and go` {
  private let one = Upstream(scheme: "http", authority: "one:1")
  private let two = Upstream(scheme: "http", authority: "two:2")

  @Test func `have one pool for as long as they are the same, and its first is asked first`() throws
  {
    let now = Mutex([one, two])
    let those = ChangingUpstreams { now.withLock { $0 } }
    let pool = those.pool
    #expect(those.pool === pool)
    var uses: [UpstreamUse] = []
    for _ in 0..<3 {
      let use = try #require(pool.use())
      #expect(use.upstream == one)
      uses.append(use)
    }
    #expect(pool.use(besides: [one])?.upstream == two)
    for _ in 0..<9 { pool.note(one, failed: true, at: .now) }
    #expect(pool.use()?.upstream == one)

    now.withLock { $0 = [two] }
    let next = those.pool
    #expect(next !== pool && next === those.pool)
    #expect(next.use()?.upstream == two && next.absence == nil)
    now.withLock { $0 = [] }
    #expect(those.pool.use() == nil && those.pool.absence != nil)
    withExtendedLifetime(uses) {}
  }
}

import Logging
import Synchronization
import Testing

@testable import Cluster

@Suite struct `What fails as Redis does` {
  @Test func `is said once, and under its breath while Redis is away`() {
    let isAway = Mutex(true)
    var trouble = RedisTrouble { isAway.withLock { $0 } }
    #expect(trouble.level(for: "not connected") == .debug)
    #expect(trouble.level(for: "not connected") == nil)
    #expect(trouble.level(for: "refused") == .debug)
    // It is there, and that goes on.
    isAway.withLock { $0 = false }
    #expect(trouble.level(for: "refused") == .warning)
    #expect(trouble.level(for: "refused") == nil)
    isAway.withLock { $0 = true }
    #expect(trouble.level(for: "refused") == nil)
    trouble.isOver()
    #expect(trouble.level(for: "refused") == .debug)
  }
}

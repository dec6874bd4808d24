import RedisSupport
import Redis
import Testing

@testable import CDN

@Suite struct `The plan of purges` {
  private let now = ContinuousClock.now
  private let five: (CDNPurge) -> PurgeGroup = { purge in
    switch purge.target {
    case .tag: PurgeGroup("tags", limit: 5)
    case .path: PurgeGroup("paths", limit: 5)
    case .prefix: PurgeGroup("paths", limit: 5, weight: 1, weightLimit: 2)
    }
  }

  private static func entries(_ purges: [CDNPurge]) -> [QueuedPurge] {
    purges.enumerated().map { index, purge in
      QueuedPurge(
        id: RedisStreamID(milliseconds: 1_000, sequence: UInt64(index)), purge: purge)
    }
  }

  private func plan(_ purges: [CDNPurge]) -> PurgePlan {
    var configuration = PurgeQueueConfiguration()
    configuration.maxAttempts = 3
    var plan = PurgePlan(configuration)
    plan.add(Self.entries(purges))
    return plan
  }

  private func call(_ plan: PurgePlan, after time: Duration = .zero) throws -> PurgePlan.Call {
    guard case .send(let call) = plan.next(now + time, five) else {
      throw RedisServerProcess.Missing(description: "nothing is due")
    }
    return call
  }

  private func tags(_ call: PurgePlan.Call) -> [String] {
    call.batch.purges.map { if case .tag(let tag) = $0.target { tag } else { "" } }
  }

  private func purge(_ wedding: String, _ target: CDNPurge.Target) -> CDNPurge {
    CDNPurge(wedding: wedding, target, reason: "test")
  }

  @Test func `a call has no more than its limit, and nothing twice`() throws {
    let plan = plan((0..<20).map { purge("w\($0)", .tag("t\($0 / 2)")) })
    let first = try call(plan)
    // A wedding's name may be part of what a CDN is sent.
    #expect(tags(first) == ["t0", "t0", "t1", "t1", "t2"])
    let same = self.plan((0..<8).map { purge("w", .tag("t\($0 % 2)")) })
    #expect(try tags(call(same)) == ["t0", "t1"])
    #expect(try call(same).entries.count == 8)
  }

  @Test func `wildcards weigh more`() throws {
    let plan = plan((0..<4).map { purge("w\($0)", $0 < 3 ? .prefix("/\($0)") : .path("/3")) })
    #expect(
      try call(plan).batch.purges.map(\.target) == [.prefix("/0"), .prefix("/1"), .path("/3")])
  }

  @Test func `purges of a wedding never overtake each other`() throws {
    var plan = plan([
      purge("a", .tag("1")), purge("a", .path("/2")), purge("a", .tag("3")), purge("b", .tag("4")),
    ])
    let first = try call(plan)
    #expect(tags(first) == ["1", "4"])
    _ = plan.failed(first, CDNError(.unavailable, "x"), now, chance: 0)
    guard case .wait(let pause) = plan.next(now, five) else {
      Issue.record("it goes on")
      return
    }
    #expect(pause == .seconds(1))
    let again = try call(plan, after: pause)
    #expect(tags(again) == ["1"])
    plan.succeeded(again)
    let second = try call(plan, after: pause)
    #expect(second.batch.purges.map(\.target) == [.path("/2")])
    plan.succeeded(second)
    // It was in a call that failed, and is in none with others.
    #expect(try tags(call(plan, after: pause)) == ["3"])
  }

  @Test func `what is refused is alone in the end, and given up alone`() throws {
    var plan = plan((0..<5).map { purge("w\($0)", .tag("t\($0)")) })
    var (lost, calls): ([QueuedPurge], Int) = ([], 0)
    while case .send(let call) = plan.next(now, five) {
      calls += 1
      if tags(call).contains("t3") {
        lost += plan.failed(call, CDNError(.refused, "x"), now, chance: 0)
      } else {
        plan.succeeded(call)
      }
    }
    #expect(lost.map(\.purge.wedding) == ["w3"])
    #expect(plan.count == 0)
    #expect(calls < 10)
  }

  @Test func `what a CDN chokes on is given up, and the others aren't`() throws {
    var plan = plan((0..<20).map { purge("w\($0)", .tag("t\($0)")) })
    var (time, lost, others): (Duration, [QueuedPurge], Duration) = (.zero, [], .zero)
    while plan.count > 0, time < .seconds(600) {
      switch plan.next(now + time, five) {
      case .idle: break
      case .wait(let pause): time += pause
      case .send(let call) where tags(call).contains("t7"):
        lost += plan.failed(call, CDNError(.unavailable, "x"), now + time, chance: 0)
        // New ones come all the while.
        plan.add([
          QueuedPurge(
            id: RedisStreamID(milliseconds: 2_000, sequence: UInt64(plan.count + lost.count)),
            purge: purge("new", .tag("new")))
        ])
      case .send(let call):
        plan.succeeded(call)
        if tags(call).contains(where: { $0 != "new" }) { others = time }
      }
    }
    #expect(lost.map(\.purge.wedding) == ["w7"])
    #expect(others <= .seconds(5))
  }

  @Test func `pauses double up to a bound, and what it asks for is kept`() throws {
    var plan = plan([purge("a", .tag("1"))])
    var time = now
    var pauses: [Duration] = []
    for _ in 0..<12 {
      guard case .send(let call) = plan.next(time, five) else {
        Issue.record("not due")
        return
      }
      #expect(plan.failed(call, CDNError(.limited, "x"), time, chance: 0).isEmpty)
      guard case .wait(let pause) = plan.next(time, five) else { return }
      pauses.append(pause)
      time += pause
    }
    #expect(pauses.prefix(4) == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
    #expect(pauses.last == .seconds(300))
    guard case .send(let call) = plan.next(time, five) else { return }
    let asked = CDNError(.limited, "x", retryAfter: .seconds(1_000))
    _ = plan.failed(call, asked, time, chance: 0.9)
    #expect(plan.next(time, five) == .wait(.seconds(1_000)))
  }

  @Test func `while nothing gets through nothing is given up but for its age`() throws {
    var plan = plan((0..<20).map { purge("w\($0)", .tag("t\($0)")) })
    var time: Duration = .zero
    var calls = 0
    while time < .seconds(3_600) {
      switch plan.next(now + time, five) {
      case .idle: return
      case .wait(let pause): time += pause
      case .send(let call):
        calls += 1
        #expect(plan.failed(call, CDNError(.timedOut, "x"), now + time, chance: 0) == [])
      }
    }
    #expect(plan.count == 20)
    #expect(calls < 200)
    #expect(plan.expired(1_000 + 6 * 3_600_000).isEmpty)
    #expect(plan.expired(1_001 + 6 * 3_600_000).count == 20)
  }

  @Test func `a purge that fails by itself is given up only where others get through`() throws {
    var plan = plan([purge("a", .tag("1"))])
    var (time, calls) = (now, 0)
    while true {
      switch plan.next(time, five) {
      case .idle:
        Issue.record("it is gone")
        return
      case .wait(let pause): time += pause
      case .send(let call) where calls < 10:
        calls += 1
        #expect(plan.failed(call, CDNError(.unavailable, "x"), time, chance: 0).isEmpty)
      case .send(let call):
        let other = QueuedPurge(
          id: RedisStreamID(milliseconds: 2_000, sequence: 0), purge: purge("b", .tag("2")))
        plan.succeeded(PurgePlan.Call(batch: PurgeBatch(id: "x", [other.purge]), entries: [other]))
        #expect(plan.failed(call, CDNError(.unavailable, "x"), time, chance: 0) == call.entries)
        #expect(plan.count == 0)
        return
      }
    }
  }

  @Test func `a call has the same name whenever the same purges are in it`() throws {
    let purges = (0..<3).map { purge("w\($0)", .tag("t\($0)")) }
    #expect(try call(plan(purges)).batch.id == call(plan(purges)).batch.id)
    #expect(try call(plan(purges)).batch.id != call(plan(Array(purges.prefix(2)))).batch.id)
  }
}

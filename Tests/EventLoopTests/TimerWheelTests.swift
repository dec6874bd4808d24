import EventLoop
import Testing

@Suite struct `Timer wheel` {
  private func at(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: milliseconds * 1_000_000)
  }

  @Test func `timers fire in order and never early`() {
    var wheel = TimerWheel(start: at(0), tick: .milliseconds(10), slots: 8)
    for (index, due) in [35, 5, 120, 1_000, 35].enumerated() {
      _ = wheel.add(at(UInt64(due)), payload: UInt64(index))
    }
    var fired: [UInt64: UInt64] = [:]
    for now in stride(from: 0, through: 1_200, by: 7) {
      var due: [UInt64] = []
      wheel.expire(at(UInt64(now)), into: &due)
      for payload in due { fired[payload] = UInt64(now) }
    }
    #expect(wheel.count == 0)
    #expect(fired.count == 5)
    for (payload, due) in [35, 5, 120, 1_000, 35].enumerated() {
      let when = fired[UInt64(payload)] ?? 0
      #expect(when >= UInt64(due) && when <= UInt64(due) + 17)
    }
  }

  @Test func `a cancelled timer does not fire, and its name finds nothing any more`() {
    var wheel = TimerWheel(start: at(0))
    let first = wheel.add(at(50), payload: 1)
    var outcomes = [wheel.cancel(first), wheel.cancel(first)]
    let second = wheel.add(at(50), payload: 2)
    outcomes.append(wheel.cancel(first))
    #expect(outcomes == [true, false, false])
    var due: [UInt64] = []
    wheel.expire(at(100), into: &due)
    #expect(due == [2])
    let late = wheel.cancel(second)
    #expect(!late)
  }

  @Test func `after a long sleep every timer fires once, in order`() {
    var wheel = TimerWheel(start: at(0), tick: .milliseconds(1), slots: 16)
    for index in (0..<500).reversed() {
      _ = wheel.add(at(UInt64(index * 3)), payload: UInt64(index))
    }
    var due: [UInt64] = []
    wheel.expire(at(1_000_000), into: &due)
    #expect(due == Array(0..<500))
    #expect(wheel.sleep(from: at(1_000_000)) == nil)
  }

  @Test func `the sleep ends before the next timer is late`() throws {
    var wheel = TimerWheel(start: at(0), tick: .milliseconds(10), slots: 8)
    #expect(wheel.sleep(from: at(0)) == nil)
    _ = wheel.add(at(45), payload: 1)
    #expect(try #require(wheel.sleep(from: at(0))) <= .milliseconds(50))
    #expect(try #require(wheel.sleep(from: at(60))) == .zero)
  }
}

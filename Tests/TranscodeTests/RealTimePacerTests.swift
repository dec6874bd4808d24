import Media
import Testing

@testable import Transcode

@Suite struct `Real time pacer` {
  private func time(_ milliseconds: Int64) -> MediaTime { MediaTime(milliseconds: milliseconds) }

  @Test func `media waits for its time, measured from the first`() {
    var pacer = RealTimePacer()
    #expect(pacer.wait(for: time(5_000), now: .seconds(100)) == .zero)
    #expect(pacer.wait(for: time(5_040), now: .seconds(100)) == .milliseconds(40))
    #expect(pacer.wait(for: time(5_040), now: .milliseconds(100_030)) == .milliseconds(10))
    #expect(pacer.wait(for: time(5_040), now: .milliseconds(100_050)) == .zero)
    // What was late is not added to what follows.
    #expect(pacer.wait(for: time(5_080), now: .milliseconds(100_050)) == .milliseconds(30))
    #expect(pacer.restarts == 0)
  }

  @Test func `a day of frames does not drift`() {
    var pacer = RealTimePacer()
    _ = pacer.wait(for: .zero, now: .zero)
    let day = MediaTime(ticks: 86_400 * 90_000 + 3003)
    let wait = pacer.wait(for: day, now: .seconds(86_400))
    #expect(wait == .nanoseconds(33_366_666))
  }

  @Test func `a stopped clock or a leap starts anew instead of racing`() {
    var pacer = RealTimePacer(maximumLag: .seconds(2))
    _ = pacer.wait(for: .zero, now: .zero)
    #expect(pacer.wait(for: time(40), now: .seconds(2)) == .zero)
    #expect(pacer.restarts == 0)
    #expect(pacer.wait(for: time(80), now: .seconds(60)) == .zero)
    #expect(pacer.restarts == 1)
    #expect(pacer.wait(for: time(120), now: .seconds(60)) == .milliseconds(40))
    #expect(pacer.wait(for: time(3_600_000), now: .seconds(60)) == .zero)
    #expect(pacer.restarts == 2)
  }

  @Test func `a lead lets media go early`() {
    var pacer = RealTimePacer(lead: .milliseconds(200))
    _ = pacer.wait(for: .zero, now: .zero)
    #expect(pacer.wait(for: time(200), now: .zero) == .zero)
    #expect(pacer.wait(for: time(300), now: .zero) == .milliseconds(100))
  }
}

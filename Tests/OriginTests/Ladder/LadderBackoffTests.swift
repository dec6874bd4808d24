import EventLoop
import Testing

@testable import Origin

@Suite struct `Ladder backoff` {
  private func backoff(failures: Int) -> LadderBackoff {
    var configuration = LadderConfiguration()
    configuration.failures = failures
    configuration.pause = .seconds(60)
    return LadderBackoff(configuration)
  }

  @Test
  func `a worker that had made something is replaced at once, others after longer and longer`() {
    var backoff = backoff(failures: 100)
    let now = MonotonicTime.now
    let answers = (0..<9).map { _ in backoff.lost(at: now) }
    let delays = [0, 200, 400, 800, 1_600, 3_200, 6_400, 6_400, 6_400]
    #expect(answers == delays.map { .replace(after: .milliseconds($0)) })
    backoff.madeSegment()
    #expect(backoff.lost(at: now) == .replace(after: .zero))
  }

  @Test func `too many within a minute are followed by a pause`() {
    var backoff = backoff(failures: 2)
    let now = MonotonicTime.now
    for second in [0, 61, 122] {
      backoff.madeSegment()
      #expect(backoff.lost(at: now + .seconds(second)) == .replace(after: .zero))
    }
    #expect(!backoff.isPaused)
    _ = backoff.lost(at: now + .seconds(123))
    #expect(backoff.lost(at: now + .seconds(124)) == .pause(.seconds(60)))
    #expect(backoff.isPaused)
    backoff.started()
    #expect(!backoff.isPaused)
  }
}

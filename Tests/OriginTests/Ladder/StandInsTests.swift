import EventLoop
import Testing

@testable import Origin

@Suite struct `Stand-ins` {
  private let start = MonotonicTime.now

  /// What is told of segments, one each three seconds: `o` is the rung's own, `s` stands in, `-`
  /// does so while nobody wants the rung.
  private func news(_ segments: String) -> [StandIns.News?] {
    var standIns = StandIns(rungs: 2)
    return segments.enumerated().map { index, kind in
      // The other rung has its own all the time, and changes nothing.
      _ = standIns.take(0, isOwn: true, isWanted: true, now: start)
      return standIns.take(
        1, isOwn: kind == "o", isWanted: kind != "-", now: start + .seconds(3 * index))
    }
  }

  @Test func `a few are nothing to tell`() {
    #expect(news("ssssossssossss").allSatisfy { $0 == nil })
  }

  @Test func `more are told once, and once when the rung has its own again`() {
    let told = news("osssssssssoo")
    #expect(told[5] == .began(segments: 5))
    #expect(told[10] == .ended(segments: 9))
    #expect(told.count { $0 != nil } == 2)
  }

  @Test func `a rung that nobody wants is nothing to tell`() {
    #expect(news("ooo----------ssss").allSatisfy { $0 == nil })
    #expect(news("sssss-----o").compactMap { $0 } == [.began(segments: 5)])
  }

  @Test func `a rung that comes and goes is told of once a minute`() {
    let told = news(String(repeating: "ssssssso", count: 10)).compactMap { $0 }
    // 240 seconds; each time it begins it also ends.
    #expect((6...10).contains(told.count), "\(told)")
    let other = news("ssssso" + String(repeating: "s", count: 40)).compactMap { $0 }
    // Still told, later, of one that stays away.
    #expect(other.count == 3)
  }
}

import Testing

@testable import Viewers

@Suite struct `Viewer counter` {
  @Test func `a viewer counts once, and no more when it has been away`() {
    var counter = ViewerCounter()
    #expect(counter.count(now: 100) == 0)
    for second: UInt64 in 100..<110 {
      for viewer: UInt64 in [0, 1, 17, 33, .max] { counter.note(viewer, now: second) }
    }
    // 0 is told by the same mark as 1.
    #expect(counter.count(now: 110) == 4)
    counter.note(17, now: 120)
    #expect(counter.count(now: 124) == 4)
    #expect(counter.count(now: 125) == 1)
    #expect(counter.count(now: 136) == 0)
  }

  @Test func `many viewers are told apart, and those who have gone make room`() {
    var counter = ViewerCounter()
    for round: UInt64 in 0..<20 {
      for viewer: UInt64 in 1...2_000 {
        counter.note(viewer &* 0x9e37_79b9_7f4a_7c15 &+ round, now: round * 100)
      }
      #expect(counter.count(now: round * 100) == 2_000)
    }
  }

  @Test func `who asks under ever new names doesn't make it grow for ever`() {
    var counter = ViewerCounter()
    for viewer: UInt64 in 1...300_000 {
      counter.note(viewer &* 0x9e37_79b9_7f4a_7c15, now: 50)
    }
    #expect(counter.count(now: 50) == 65_536)
    // The first ones are still known, and later ones find room when those have gone.
    counter.note(0x9e37_79b9_7f4a_7c15, now: 60)
    #expect(counter.count(now: 70) == 1)
    for viewer: UInt64 in 1...1_000 { counter.note(viewer << 20, now: 70) }
    #expect(counter.count(now: 70) == 1_001)
  }
}

import Testing

@testable import Media

@Suite struct `Timestamp unwrapper` {
  private func times(_ raw: [UInt32], _ unwrapper: inout TimestampUnwrapper) -> [Int64] {
    raw.map { unwrapper.unwrap($0, track: .video).milliseconds }
  }

  @Test func `times pass through unchanged while nothing is wrong`() {
    var unwrapper = TimestampUnwrapper()
    #expect(times([5, 38, 71, 104], &unwrapper) == [5, 38, 71, 104])
    #expect(unwrapper.unwrap(90, track: .audio) == .init(milliseconds: 90, event: .continuous))
    #expect(unwrapper.unwrap(137, track: .video) == .init(milliseconds: 137, event: .continuous))
  }

  @Test func `the counter wraps at 2^32`() {
    var unwrapper = TimestampUnwrapper()
    #expect(times([0xFFFF_FFE0], &unwrapper) == [0xFFFF_FFE0])
    #expect(
      unwrapper.unwrap(1, track: .video) == .init(milliseconds: 0x1_0000_0001, event: .wrapped))
    #expect(times([34, 67], &unwrapper) == [0x1_0000_0022, 0x1_0000_0043])
  }

  @Test func `nothing happens at 0xFFFFFF`() {
    var unwrapper = TimestampUnwrapper()
    #expect(
      times([0xFF_FFF0, 0xFF_FFFF, 0x100_0010], &unwrapper) == [0xFF_FFF0, 0xFF_FFFF, 0x100_0010])
  }

  @Test func `a counter of 31 bits wraps, again and again`() {
    var unwrapper = TimestampUnwrapper()
    var raw: UInt32 = 0x7FFF_FF00
    var expected: Int64 = 0x7FFF_FF00
    _ = unwrapper.unwrap(raw, track: .video)
    for _ in 0..<200_000 {
      raw = (raw &+ 50_000) & 0x7FFF_FFFF
      expected += 50_000
      let reading = unwrapper.unwrap(raw, track: .video)
      guard reading.milliseconds == expected else {
        Issue.record("\(raw) became \(reading), not \(expected)")
        return
      }
    }
  }

  @Test func `a little step back is held and made good`() {
    var unwrapper = TimestampUnwrapper()
    #expect(times([1000, 1040], &unwrapper) == [1000, 1040])
    #expect(
      unwrapper.unwrap(1020, track: .video)
        == .init(milliseconds: 1040, event: .held(milliseconds: 20)))
    #expect(times([1060], &unwrapper) == [1060])
  }

  @Test func `a restarted clock goes on where the stream was, with both tracks`() {
    var unwrapper = TimestampUnwrapper()
    _ = unwrapper.unwrap(100_000, track: .video)
    _ = unwrapper.unwrap(100_010, track: .audio)
    let restart = unwrapper.unwrap(0, track: .video)
    #expect(restart == .init(milliseconds: 100_030, event: .steppedBack(milliseconds: 100_000)))
    // A message of sound from before the restart comes late.
    #expect(unwrapper.unwrap(100_033, track: .audio).milliseconds == 100_033)
    #expect(
      unwrapper.unwrap(12, track: .audio) == .init(milliseconds: 100_042, event: .joined))
    #expect(unwrapper.unwrap(33, track: .video).milliseconds == 100_063)
    #expect(unwrapper.unwrap(35, track: .audio).milliseconds == 100_065)
  }

  @Test func `a wild jump forward is not believed, a gap is`() {
    var unwrapper = TimestampUnwrapper()
    #expect(times([0, 33, 20_033], &unwrapper) == [0, 33, 20_033])
    let jump = unwrapper.unwrap(500_000_000, track: .video)
    #expect(jump.milliseconds == 20_053)
    #expect(jump.event == .jumped(milliseconds: 499_979_967))
  }

  @Test func `tracks with clocks of their own stay on them`() {
    var unwrapper = TimestampUnwrapper()
    var events = Set<String>()
    for step in 0..<100 as Range<UInt32> {
      let audio = unwrapper.unwrap(step * 20, track: .audio)
      let video = unwrapper.unwrap(3_600_000 + step * 20, track: .video)
      #expect(audio.milliseconds == Int64(step) * 20)
      #expect(video.milliseconds == Int64(step) * 20 + 20)
      events.insert("\(audio.event)")
      events.insert("\(video.event)")
    }
    #expect(events == ["continuous"])
  }

  @Test func `no input makes a track go back`() {
    var unwrapper = TimestampUnwrapper()
    var random = SeededGenerator(state: 7)
    var last: [Track: Int64] = [:]
    for _ in 0..<100_000 {
      let track: Track = Bool.random(using: &random) ? .video : .audio
      let raw: UInt32 =
        Int.random(in: 0..<10, using: &random) < 8
        ? UInt32(truncatingIfNeeded: (last[track] ?? 0) + .random(in: -900...900, using: &random))
        : .random(in: 0 ... .max, using: &random)
      let time = unwrapper.unwrap(raw, track: track).milliseconds
      #expect(time >= last[track] ?? .min)
      last[track] = time
    }
  }
}

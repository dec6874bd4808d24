import Media
import Testing

@testable import Transcode

@Suite struct `Ladder steps` {
  private static let patience = MediaTime(milliseconds: 2_000)

  /// Cuts that follow each other at a speed: 2 s of media in `2 / speed` seconds.
  private struct Run {
    var steps = LadderSteps(patience: patience, recovery: .seconds(30), presets: 2)
    var time = MediaTime.zero
    var now = Duration.seconds(1_000)
    var rungs = 4

    mutating func cuts(_ count: Int, speed: Double, lag: Double) -> [Int] {
      (0..<count).map { _ in
        time += MediaTime(milliseconds: 2_000)
        now += .seconds(2) / speed
        _ = steps.cut(at: time, lag: MediaTime(seconds: lag), now: now, rungs: rungs)
        return steps.step
      }
    }
  }

  @Test func `a worker that falls behind gets faster presets, then fewer rungs, never none`() {
    var run = Run()
    #expect(run.cuts(3, speed: 0.8, lag: 1.9) == [0, 0, 0])
    #expect(run.cuts(7, speed: 0.8, lag: 3) == [1, 2, 3, 4, 5, 5, 5])
    #expect(run.steps.choice == (2, 3))
  }

  @Test func `a worker that is catching up takes no step`() {
    var run = Run()
    #expect(run.cuts(5, speed: 1.5, lag: 8) == [0, 0, 0, 0, 0])
    #expect(run.cuts(2, speed: 1.0, lag: 8) == [1, 2])
  }

  @Test func `the first cut of a run says nothing of speed`() {
    var run = Run()
    _ = run.cuts(1, speed: 0.1, lag: 8)
    #expect(run.steps.step == 0)
    run.steps.restart()
    run.time = .zero
    _ = run.cuts(1, speed: 0.1, lag: 8)
    #expect(run.steps.step == 0)
    #expect(run.cuts(1, speed: 0.5, lag: 8) == [1])
  }

  @Test func `it steps up one by one after thirty seconds each`() {
    var run = Run()
    _ = run.cuts(4, speed: 0.5, lag: 5)
    #expect(run.steps.step == 3)
    let ups = run.cuts(50, speed: 1, lag: 0.1)
    #expect(ups[14] == 3)
    #expect(ups[15] == 2)
    #expect(ups[30] == 1)
    #expect(ups[45] == 0)
  }

  @Test func `lag in between begins the wait anew`() {
    var run = Run()
    _ = run.cuts(2, speed: 0.5, lag: 5)
    _ = run.cuts(14, speed: 1, lag: 0.1)
    _ = run.cuts(1, speed: 1, lag: 1)
    #expect(run.cuts(15, speed: 1, lag: 0.1).last == 1)
    #expect(run.cuts(1, speed: 1, lag: 0.1) == [0])
  }

  @Test func `a step up that was too much is tried again later and later`() {
    var run = Run()
    _ = run.cuts(2, speed: 0.5, lag: 5)
    var waits: [Int] = []
    for _ in 0..<7 {
      var count = 0
      while run.steps.step == 1, count < 1_000 {
        _ = run.cuts(1, speed: 1, lag: 0.1)
        count += 1
      }
      waits.append(count)
      _ = run.cuts(1, speed: 0.5, lag: 5)
      #expect(run.steps.step == 1)
    }
    #expect(waits == [16, 31, 61, 121, 241, 241, 241])
  }

  @Test func `a source with fewer rungs takes back what steps it has not`() {
    var run = Run()
    _ = run.cuts(6, speed: 0.5, lag: 5)
    #expect(run.steps.step == 5)
    run.rungs = 1
    #expect(run.cuts(1, speed: 1, lag: 0) == [2])
  }

  @Test func `faster presets are x264's next two at most`() {
    #expect(EncoderOptions.faster(than: "veryfast") == ["superfast", "ultrafast"])
    #expect(EncoderOptions.faster(than: "medium") == ["superfast", "ultrafast"])
    #expect(EncoderOptions.faster(than: "superfast") == ["ultrafast"])
    #expect(EncoderOptions.faster(than: "ultrafast").isEmpty)
    #expect(EncoderOptions.faster(than: "7").isEmpty)
  }
}

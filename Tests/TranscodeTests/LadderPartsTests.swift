import Media
import Synchronization
import Testing

@testable import Transcode

@Suite struct `Ladder parts` {
  private func video(_ milliseconds: Int64, isKeyframe: Bool = false) -> Frame {
    let time = MediaTime(milliseconds: milliseconds)
    return Frame(
      track: .video, codec: .h264, dts: time, pts: time, isKeyframe: isKeyframe, payload: [])
  }

  private func sound(_ milliseconds: Int64) -> Frame {
    let time = MediaTime(milliseconds: milliseconds)
    return Frame(track: .audio, codec: .aac, dts: time, pts: time, isKeyframe: true, payload: [])
  }

  @Test func `a queue hands on in order, and holds no more than its limit`() throws {
    let queue = BoundedQueue<Int>(limit: 10)
    let counter = Counter()
    try WorkerThread.start("pusher") {
      for number in 0..<10_000 {
        queue.push(number, cost: 1 + number % 3)
        counter.pushed.add(1, ordering: .sequentiallyConsistent)
      }
    }
    for number in 0..<10_000 {
      let next = queue.pop()
      // Ten of the cheapest may wait, and one more is on its way in.
      let ahead = counter.pushed.load(ordering: .sequentiallyConsistent) - number
      try #require(next == number && ahead <= 12, "\(next) after \(number), \(ahead) wait")
    }
  }

  private final class Counter: Sendable { let pushed = Atomic(0) }

  @Test func `one element goes through whatever it costs`() {
    let queue = BoundedQueue<Int>(limit: 10)
    queue.push(1, cost: 1_000)
    #expect(queue.pop() == 1)
    queue.push(2, cost: 0)
    queue.push(3, cost: 10)
    #expect(queue.pop() == 2)
    #expect(queue.pop() == 3)
  }

  @Test(arguments: [Track.video, .audio])
  func `lag is what waits in each run, and a leap between runs is none`(of track: Track) {
    let gauges = LadderGauges()
    func times(_ milliseconds: [Int64]) -> [MediaTime] {
      milliseconds.map { MediaTime(milliseconds: $0) }
    }
    #expect(gauges.lag == .zero)
    for time in times([0, 40, 80]) { gauges.receive(time, of: track) }
    #expect(gauges.lag.milliseconds == 80)
    gauges.take(MediaTime(milliseconds: 40), of: track)
    #expect(gauges.lag.milliseconds == 40)
    gauges.receiveEnd(of: track)
    for time in times([900_000, 900_040]) { gauges.receive(time, of: track) }
    gauges.receiveEnd(of: track)
    for time in times([100, 150]) { gauges.receive(time, of: track) }
    #expect(gauges.lag.milliseconds == 40 + 40 + 50)
    gauges.take(MediaTime(milliseconds: 80), of: track)
    gauges.takeEnd(of: track)
    #expect(gauges.lag.milliseconds == 40 + 50)
    gauges.take(MediaTime(milliseconds: 900_040), of: track)
    gauges.takeEnd(of: track)
    gauges.take(MediaTime(milliseconds: 150), of: track)
    #expect(gauges.lag == .zero)
    gauges.takeEnd(of: track)
    gauges.receive(MediaTime(milliseconds: 5_000), of: track)
    #expect(gauges.lag == .zero)
  }

  @Test func `a segment is as late as the later of its pictures and its sound`() {
    let gauges = LadderGauges()
    for time in [0, 1_000].map({ MediaTime(milliseconds: $0) }) {
      gauges.receive(time, of: .video)
      gauges.take(time, of: .video)
      gauges.receive(time, of: .audio)
    }
    // The pictures keep up; nothing has been made of the sound.
    #expect(gauges.lag.milliseconds == 1_000)
    #expect(gauges.report.lag.milliseconds == 1_000)
    gauges.receive(MediaTime(milliseconds: 4_000), of: .video)
    #expect(gauges.lag.milliseconds == 3_000)
  }

  @Test func `cuts wait for the picture at their time, or the next one`() {
    var marks = CutMarks()
    let times = (0..<5).map { MediaTime(ticks: $0 * 3_000) }
    func taken() -> [Bool] { times.map { marks.take(at: $0) } }
    marks.add(times[1])
    marks.add(MediaTime(ticks: 7_000))
    #expect(taken() == [false, true, false, true, false])
    marks.add(times[1])
    marks.add(times[2])
    _ = marks.take(at: times[3])
    #expect(taken() == [false, false, false, false, false])
    marks.add(times[0])
    marks.removeAll()
    #expect(taken() == [false, false, false, false, false])
  }

  /// Written so since a macro can't call what changes a value.
  private func admit(
    _ gate: inout IdleGate, _ frame: Frame, isCut: Bool
  ) -> [IdleGate.Passage] { gate.admit(frame, isCut: isCut) }

  @Test func `while a rung is wanted all goes in`() {
    var gate = IdleGate()
    for frame in [video(0, isKeyframe: true), sound(5), video(33), sound(28)] {
      #expect(
        gate.admit(frame, isCut: frame.isKeyframe) == [.frame(frame, isCut: frame.isKeyframe)])
    }
    gate.want(0)
    // Not before the next cut.
    #expect(admit(&gate, video(66), isCut: false) == [.frame(video(66), isCut: false)])
    gate.want(1)
    let cut = video(100, isKeyframe: true)
    #expect(admit(&gate, cut, isCut: true) == [.frame(cut, isCut: true)])
  }

  @Test func `at rest nothing goes in but the sound of the last segment`() {
    var gate = IdleGate()
    gate.want(0)
    #expect(admit(&gate, video(1_000, isKeyframe: true), isCut: true) == [.rest(.video)])
    #expect(admit(&gate, sound(980), isCut: false) == [.frame(sound(980), isCut: false)])
    #expect(admit(&gate, sound(1_001), isCut: false) == [.rest(.audio)])
    #expect(admit(&gate, sound(990), isCut: false).isEmpty)
    #expect(admit(&gate, video(1_033), isCut: false).isEmpty)
    #expect(admit(&gate, video(3_000, isKeyframe: true), isCut: true).isEmpty)
  }

  @Test func `it wakes at a keyframe that is a cut, with the sound played from there on`() {
    var gate = IdleGate()
    gate.want(0)
    _ = gate.admit(video(1_000, isKeyframe: true), isCut: true)
    for time in stride(from: 1_000 as Int64, through: 3_020, by: 20) {
      _ = gate.admit(sound(time), isCut: false)
    }
    gate.want(2)
    #expect(admit(&gate, video(2_990), isCut: true).isEmpty)
    #expect(admit(&gate, video(2_995, isKeyframe: true), isCut: false).isEmpty)
    let cut = video(3_000, isKeyframe: true)
    #expect(
      admit(&gate, cut, isCut: true)
        == [2_980, 3_000, 3_020].map { .frame(sound($0), isCut: false) }
        + [.frame(cut, isCut: true)])
    #expect(admit(&gate, sound(3_040), isCut: false) == [.frame(sound(3_040), isCut: false)])
  }
}

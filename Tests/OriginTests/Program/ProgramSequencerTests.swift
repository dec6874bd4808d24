import HLS
import Media
import Testing

@testable import Origin

extension Segment {
  /// A camera's segment that begins at a moment of the clock.
  static func sample(
    _ sequence: Int, at date: Int64, lasting milliseconds: Int64 = 3_000, target: Int = 3,
    isDiscontinuity: Bool = false, key: SegmentKey? = nil, bytes: [UInt8] = [0x47]
  ) -> Segment {
    Segment(
      name: "\(sequence)-tag\(date).ts", sequence: sequence, discontinuitySequence: 0, bytes: bytes,
      duration: MediaTime(milliseconds: milliseconds), startTime: MediaTime(milliseconds: date),
      programDate: date, isDiscontinuity: isDiscontinuity, isIndependent: true,
      targetDuration: target, key: key)
  }
}

@Suite struct `Program, its sequence` {
  /// What a program shows of a camera.
  private struct Shown: Equatable {
    let camera: String
    let sequence: Int
    let number: Int
    var isDiscontinuity = false

    init(_ slot: ProgramSequencer.Slot) {
      camera = slot.camera
      sequence = slot.sequence
      number = slot.number
      isDiscontinuity = slot.isDiscontinuity
    }

    init(_ camera: String, _ sequence: Int, as number: Int, cut: Bool = false) {
      self.camera = camera
      self.sequence = sequence
      self.number = number
      isDiscontinuity = cut
    }
  }

  private var sequencer = ProgramSequencer(WindowState())

  private mutating func take(_ sequence: Int, _ camera: String, at date: Int64) -> [Shown] {
    sequencer.take(.sample(sequence, at: date), of: camera).map(Shown.init)
  }

  private mutating func show(_ camera: String, last: Segment? = nil) -> [Shown] {
    sequencer.show(camera, last: last).map(Shown.init)
  }

  /// A program that shows camera a's segment 7 as number 0, up to the second 103.
  private mutating func begin() {
    #expect(show("a") == [])
    #expect(take(7, "a", at: 100_000) == [Shown("a", 7, as: 0)])
  }

  @Test mutating func `a camera's segments follow each other without a cut`() {
    begin()
    #expect(take(8, "a", at: 103_000) == [Shown("a", 8, as: 1)])
    #expect(take(50, "b", at: 103_000) == [])
    #expect(take(9, "a", at: 106_000) == [Shown("a", 9, as: 2)])
    #expect(sequencer.state.discontinuitySequence == 0)
    #expect(sequencer.state.endDate == 109_000)
  }

  @Test mutating func `what has been seen already is not shown again`() {
    begin()
    #expect(take(7, "a", at: 100_000) == [])
    #expect(take(6, "a", at: 97_000) == [])
  }

  @Test mutating func `a switch takes the segment that is being written, and holds the old back`() {
    begin()
    // b has cut a second later than a: its finished segment has mostly been shown.
    #expect(show("b", last: .sample(40, at: 98_000)) == [])
    #expect(sequencer.pending == "b")
    #expect(take(8, "a", at: 103_000) == [])
    #expect(take(41, "b", at: 101_000) == [Shown("b", 41, as: 1, cut: true)])
    #expect(take(9, "a", at: 106_000) == [])
    #expect(take(42, "b", at: 104_000) == [Shown("b", 42, as: 2)])
    #expect(sequencer.state.discontinuitySequence == 1)
  }

  @Test mutating func `a switch takes the finished segment where half of it is new`() {
    begin()
    #expect(
      show("b", last: .sample(40, at: 101_500)) == [Shown("b", 40, as: 1, cut: true)])
    #expect(take(41, "b", at: 104_500) == [Shown("b", 41, as: 2)])
  }

  /// A program of which another node has announced number 41, which is camera a's segment 7, up to
  /// the second 103.
  private mutating func goOn(shown: ShownPlace? = ShownPlace(camera: "a", sequence: 7)) {
    sequencer = ProgramSequencer(
      WindowState(nextSequence: 42, discontinuitySequence: 3, endDate: 103_000), after: shown)
  }

  @Test mutating func `what a camera makes once more stands in the same place once more`() {
    goOn()
    #expect(show("a") == [])
    let slots = sequencer.take(.sample(7, at: 100_000), of: "a")
    #expect(slots.map(Shown.init) == [Shown("a", 7, as: 41, cut: true)])
    #expect(slots.map(\.programDate) == [100_000])
    // As edges count that have the other node's, and as those that haven't.
    #expect(sequencer.state.discontinuitySequence == 4)
    let next = sequencer.take(.sample(8, at: 103_000), of: "a")
    #expect(next.map(Shown.init) == [Shown("a", 8, as: 42)])
    #expect(next.map(\.programDate) == [103_000])
    // Only the first one can be what stood there.
    #expect(take(7, "a", at: 100_000) == [])
  }

  @Test mutating func `dates that ran ahead there are as far ahead here`() {
    goOn()
    _ = show("a")
    #expect(sequencer.take(.sample(7, at: 98_500), of: "a").map(\.programDate) == [100_000])
    #expect(sequencer.take(.sample(8, at: 101_500), of: "a").map(\.programDate) == [103_000])
  }

  @Test mutating func `what was shown before that is not shown again`() {
    goOn()
    #expect(show("a", last: .sample(5, at: 94_000)) == [])
    #expect(take(6, "a", at: 97_000) == [])
    #expect(sequencer.pending == "a")
    #expect(take(7, "a", at: 100_000) == [Shown("a", 7, as: 41, cut: true)])
  }

  @Test func `what was told later counts, until something is shown`() {
    var sequencer = ProgramSequencer(
      WindowState(nextSequence: 7), after: ShownPlace(camera: "a", sequence: 3))
    _ = sequencer.show("a", last: nil)
    let isTaken = sequencer.begin(
      WindowState(nextSequence: 9), after: ShownPlace(camera: "a", sequence: 5))
    #expect(isTaken)
    var numbers = sequencer.take(.sample(4, at: 4_000), of: "a").map(\.number)
    #expect(numbers == [])
    numbers = sequencer.take(.sample(5, at: 5_000), of: "a").map(\.number)
    #expect(numbers == [8])
    let isTakenLater = sequencer.begin(
      WindowState(nextSequence: 12), after: ShownPlace(camera: "a", sequence: 8))
    #expect(!isTakenLater)
    numbers = sequencer.take(.sample(6, at: 6_000), of: "a").map(\.number)
    #expect(numbers == [9])
  }

  @Test mutating func `what follows what was shown has the next number`() {
    goOn()
    _ = show("a")
    #expect(take(8, "a", at: 103_000) == [Shown("a", 8, as: 42, cut: true)])
    // Another camera's segment of that number is no such thing; nor is any where it isn't known.
    for shown in [ShownPlace(camera: "b", sequence: 7), nil] {
      goOn(shown: shown)
      _ = show("a")
      #expect(take(7, "a", at: 100_000) == [Shown("a", 7, as: 42, cut: true)])
    }
  }

  /// A program that another process has left after number 41, which was camera a's segment 7.
  private mutating func takeOver() {
    sequencer = ProgramSequencer(
      WindowState(nextSequence: 42, discontinuitySequence: 3, endDate: 103_000),
      leftAfter: ShownPlace(camera: "a", sequence: 7))
  }

  @Test mutating func `a program that was left goes on with what its camera makes next`() {
    takeOver()
    #expect(sequencer.leftAfter == ShownPlace(camera: "a", sequence: 7))
    #expect(take(6, "a", at: 97_000) == [])
    #expect(take(7, "a", at: 100_000) == [])
    #expect(take(8, "a", at: 103_000) == [Shown("a", 8, as: 42)])
    #expect(take(9, "a", at: 106_000) == [Shown("a", 9, as: 43)])
    #expect(sequencer.leftAfter == nil)
    #expect(sequencer.state.discontinuitySequence == 3)
    #expect(sequencer.state.endDate == 109_000)
  }

  @Test mutating func `a program that was left is as far ahead as it was`() {
    takeOver()
    #expect(sequencer.take(.sample(8, at: 98_500), of: "a").map(\.programDate) == [103_000])
    #expect(sequencer.take(.sample(9, at: 101_500), of: "a").map(\.programDate) == [106_000])
  }

  @Test mutating func `another publisher or camera is cut to in a program that was left`() {
    takeOver()
    let other = Segment.sample(8, at: 103_000, isDiscontinuity: true)
    #expect(sequencer.take(other, of: "a").map(Shown.init) == [Shown("a", 8, as: 42, cut: true)])
    takeOver()
    #expect(take(9, "a", at: 106_000) == [Shown("a", 9, as: 42, cut: true)])
    takeOver()
    #expect(show("b", last: .sample(7, at: 98_500)) == [])
    #expect(take(8, "b", at: 101_500) == [Shown("b", 8, as: 42, cut: true)])
  }

  @Test mutating func `a program's very first segment is made once more, too`() {
    sequencer = ProgramSequencer(
      WindowState(nextSequence: 1, endDate: 103_000), after: ShownPlace(camera: "a", sequence: 7))
    _ = show("a")
    #expect(take(7, "a", at: 100_000) == [Shown("a", 7, as: 0, cut: true)])
    #expect(take(8, "a", at: 103_000) == [Shown("a", 8, as: 1)])
  }

  @Test mutating func `dates never go back, and run on within a camera`() {
    begin()
    _ = show("b")
    let first = sequencer.take(.sample(41, at: 101_000), of: "b")
    #expect(first.map(\.programDate) == [103_000])
    #expect(sequencer.take(.sample(42, at: 104_000), of: "b").map(\.programDate) == [106_000])
    // A later switch takes its chance to come back to the clock.
    _ = show("a")
    #expect(sequencer.take(.sample(9, at: 109_500), of: "a").map(\.programDate) == [109_500])
  }

  @Test mutating func `what lies too far back is waited over`() {
    begin()
    _ = show("b")
    #expect(take(30, "b", at: 96_900) == [])
    #expect(take(31, "b", at: 99_900) == [Shown("b", 31, as: 1, cut: true)])
  }

  @Test mutating func `a program that is far ahead waits over one segment, no more`() {
    // As dates of a camera are that origins have gone on with, one after the other.
    #expect(show("a") == [])
    #expect(take(7, "a", at: 120_000) == [Shown("a", 7, as: 0)])
    #expect(show("b", last: .sample(40, at: 100_000)) == [])
    #expect(take(8, "a", at: 123_000) == [])
    #expect(take(41, "b", at: 103_000) == [])
    #expect(take(9, "a", at: 126_000) == [Shown("a", 8, as: 1)])
    #expect(take(42, "b", at: 106_000) == [Shown("b", 42, as: 2, cut: true)])
    // And so the next one.
    #expect(show("a") == [])
    #expect(take(11, "a", at: 132_000) == [Shown("a", 11, as: 3, cut: true)])
  }

  @Test mutating func `a camera that does not come lets the old one go on`() {
    begin()
    _ = show("b")
    #expect(take(8, "a", at: 103_000) == [])
    #expect(take(9, "a", at: 106_000) == [Shown("a", 8, as: 1)])
    #expect(sequencer.cancel().map(Shown.init) == [Shown("a", 9, as: 2)])
    #expect(take(10, "a", at: 109_000) == [Shown("a", 10, as: 3)])
    #expect(sequencer.state.discontinuitySequence == 0)
  }

  @Test mutating func `back to the old one before the new one came costs nothing`() {
    begin()
    _ = show("b")
    _ = take(8, "a", at: 103_000)
    #expect(show("a") == [Shown("a", 8, as: 1)])
    #expect(sequencer.pending == nil)
    #expect(take(9, "a", at: 106_000) == [Shown("a", 9, as: 2)])
  }

  @Test mutating func `there and back again has two cuts, also to segments that were held`() {
    begin()
    _ = show("b")
    _ = take(8, "a", at: 103_000)
    #expect(take(41, "b", at: 102_000) == [Shown("b", 41, as: 1, cut: true)])
    #expect(
      show("a", last: .sample(9, at: 106_000)) == [Shown("a", 9, as: 2, cut: true)])
    #expect(sequencer.state.discontinuitySequence == 2)
  }

  @Test mutating func `a camera's own discontinuity is the program's`() {
    begin()
    let slots = sequencer.take(.sample(8, at: 110_000, isDiscontinuity: true), of: "a")
    #expect(slots.map(Shown.init) == [Shown("a", 8, as: 1, cut: true)])
    #expect(slots.map(\.programDate) == [110_000])
  }

  @Test mutating func `segments that were lost on the way are a discontinuity`() {
    begin()
    #expect(take(9, "a", at: 106_000) == [Shown("a", 9, as: 1, cut: true)])
  }

  @Test func `a program goes on where it was, and from a camera's playlist without a cut`() {
    var resumed = ProgramSequencer(
      WindowState(nextSequence: 500, discontinuitySequence: 9, endTime: .zero))
    _ = resumed.show("a", last: nil)
    #expect(
      resumed.take(.sample(7, at: 100_000), of: "a").map(Shown.init)
        == [Shown("a", 7, as: 500, cut: true)])
    #expect(resumed.state.discontinuitySequence == 10)
    var going = ProgramSequencer(
      WindowState(nextSequence: 7, targetDuration: 3, endDate: 100_000), goingOnFrom: "main")
    #expect(
      going.take(.sample(7, at: 100_000), of: "main").map(Shown.init) == [Shown("main", 7, as: 7)])
  }

  @Test mutating func `the target duration never shrinks`() {
    begin()
    _ = show("b")
    _ = sequencer.take(.sample(41, at: 102_000, lasting: 5_000, target: 5), of: "b")
    #expect(sequencer.state.targetDuration == 5)
    _ = show("a")
    _ = sequencer.take(.sample(9, at: 107_000), of: "a")
    #expect(sequencer.state.targetDuration == 5)
  }

  /// Fifty switches at random moments between cameras that cut at their own times.
  @Test(arguments: 1...20)
  func `however often it is switched, the picture changes within a segment`(seed: Int) {
    var random = Dice(seed: UInt64(seed))
    let length: Int64 = 3_000
    let phases = [0, 700, 1_600, 2_900] as [Int64]
    var sequencer = ProgramSequencer(WindowState())
    _ = sequencer.show("0", last: nil)
    var shown: [(time: Int64, slot: ProgramSequencer.Slot)] = []
    var calls: [(time: Int64, camera: String)] = []
    var next = 20_000 as Int64
    for time in stride(from: 0 as Int64, to: 400_000, by: 100) {
      for (index, phase) in phases.enumerated() where time >= phase && (time - phase) % length == 0
      {
        let number = Int((time - phase) / length)
        guard number > 0 else { continue }
        let segment = Segment.sample(number, at: time - length)
        for slot in sequencer.take(segment, of: "\(index)") { shown.append((time, slot)) }
      }
      guard time >= next, calls.count < 50 else { continue }
      next = time + Int64.random(in: 1_000...9_000, using: &random) / 100 * 100
      let camera = Int.random(in: 0..<4, using: &random)
      guard "\(camera)" != sequencer.current else { continue }
      let number = Int((time - phases[camera]) / length)
      let last = Segment.sample(number, at: phases[camera] + Int64(number - 1) * length)
      calls.append((time, "\(camera)"))
      for slot in sequencer.show("\(camera)", last: last) { shown.append((time, slot)) }
    }
    var late = 0
    for (index, call) in calls.enumerated() {
      let end = index + 1 < calls.count ? calls[index + 1].time : .max
      guard
        let first = shown.first(where: { $0.time >= call.time && $0.slot.camera == call.camera }),
        first.time < end
      else { continue }
      // At most one segment of the old camera comes in between: of a switch that took longer.
      let between = shown.count {
        $0.time > call.time && $0.slot.number < first.slot.number && $0.slot.camera != call.camera
      }
      #expect(between <= 1)
      #expect(first.time - call.time <= 2 * length)
      if first.time - call.time > length { late += 1 }
    }
    #expect(late * 5 <= calls.count, "\(late) of \(calls.count) took longer")
    #expect(shown.map(\.slot.number) == Array(0..<shown.count))
    var end = 0 as Int64
    for (time, slot) in shown {
      #expect(slot.programDate >= end, "dates never go back")
      if end > 0 { #expect(slot.programDate - end <= length / 2 + 1, "nothing longer is left out") }
      #expect(slot.programDate + length - time <= 2 * length, "nor do they run away")
      end = slot.programDate + length
    }
  }
}

/// Random numbers that a test can repeat.
private struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

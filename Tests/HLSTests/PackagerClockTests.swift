import Media
import Testing

@testable import HLS

@Suite struct `Stream packager, clocks` {
  @Test(arguments: [6_000, 30_000, -5_000, -60_000, 400_000_000])
  func `a jump of the clock is one discontinuity and loses nothing`(jump: Int64) throws {
    let publisher = Publisher()
    var jumped = publisher
    jumped.base = jump + 1_000_000
    var before = publisher
    before.base = 1_000_000
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(before.frames(seconds: 21), packager, date: 0)
    viewer.watch(jumped.frames(from: 21_000, seconds: 30), packager, date: 0)
    if let last = packager.interrupt() { viewer.take([last]) }
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.count { $0.isDiscontinuity } == 1)
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    #expect(reader.packets.count { $0.pid == 0x100 } == 51 * 25)
    #expect(packager.statistics.repairs == 1)
    #expect(packager.statistics.droppedFrames == 0)
    let drift = reader.packets.filter { $0.pid == 0x100 }.last.map { $0.pts - 900_000 } ?? 0
    #expect(abs(drift - 90 * 50_960) < 90 * 100)
  }

  /// The last three are what no segment can reach.
  @Test(
    arguments: zip(
      [6_000, 2_000, 5_000, 0, -3_000, 90_000] as [Int64],
      [[6, 4, 4], [2, 4, 4], [5, 3, 4], [4, 4, 4], [4, 4, 4], [4, 4, 4]] as [[Double]]))
  func `the first segment ends where another node has ended it`(
    end: Int64, durations: [Double]
  ) throws {
    var publisher = Publisher()
    publisher.base = 500_000
    let packager = StreamPackager(state: WindowState(nextSequence: 7, endTime: .zero))
    for configuration in try publisher.configurations() { packager.configure(configuration) }
    packager.takeOver(firstEnd: MediaTime(milliseconds: 500_000 + end))
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 20), packager)
    #expect(viewer.durations.prefix(3) == durations[...])
    #expect(viewer.segments.first?.sequence == 7)
  }

  /// Who has the other node's counts the discontinuity behind it, as who hasn't does before this
  /// one.
  @Test(arguments: [nil, 6_000] as [Int64?])
  func `the very first segment follows a discontinuity where another node has made it`(
    end: Int64?
  ) throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    packager.takeOver(firstEnd: end.map { MediaTime(milliseconds: $0) })
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 20), packager)
    #expect(viewer.segments.map(\.isDiscontinuity).prefix(3) == [end != nil, false, false])
    #expect(viewer.segments.first?.sequence == 0)
    #expect(viewer.durations.first == (end == nil ? 4 : 6))
  }

  @Test func `segments of a stream that is taken over can follow those of the node before`() throws
  {
    let publisher = Publisher()
    let first = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 30), first)
    let second = StreamPackager(state: WindowState(nextSequence: 5))
    for configuration in try publisher.configurations() { second.configure(configuration) }
    second.takeOver(firstEnd: nil)
    var next = Viewer()
    next.watch(publisher.frames(from: 20_000, seconds: 30), second)
    // Somebody has had up to two segments more than are known to have come.
    for more in 0...2 {
      var reader = TransportStreamReader()
      for segment in viewer.segments.prefix(5 + more) + next.segments.dropFirst(more) {
        reader.read(segment.bytes)
      }
      // Those of pictures and sounds; players pass over tables that say the same again.
      #expect(reader.problems.filter { $0.contains("PID 25") } == [], "\(more)")
    }
  }

  @Test func `a clock that the demuxer repaired is one discontinuity too`() throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 21), packager)
    packager.noteBreak()
    viewer.watch(publisher.frames(from: 21_000, seconds: 20), packager)
    #expect(viewer.checker.problems == [])
    // The running segment began at 20 s; the next keyframe is at 22 s.
    #expect(viewer.segments.filter { $0.isDiscontinuity }.map(\.startTime.seconds) == [22])
  }

  @Test func `messages across 2^32 ms become segments without a seam`() throws {
    let publisher = Publisher()
    let packager = StreamPackager()
    var demuxer = TagDemuxer()
    var viewer = Viewer()
    let take: (MediaEvent) -> Void = { event in
      switch event {
      case .configuration(let configuration): packager.configure(configuration)
      case .frame(let frame): viewer.take(packager.append(frame, date: 1))
      case .repaired, .sequenceEnd, .colour: Issue.record("\(event)")
      }
    }
    try demuxer.video([0x17, 0, 0, 0, 0] + Publisher.avc, timestamp: 0, take)
    try demuxer.audio([0xAF, 0, 0x11, 0x90], timestamp: 0, take)
    for frame in publisher.frames(seconds: 41) {
      let time = UInt32(truncatingIfNeeded: (1 << 32) - 20_000 + frame.dts.milliseconds)
      switch frame.track {
      case .video: try demuxer.video(frame.payload, timestamp: time, take)
      case .audio: try demuxer.audio(frame.payload, timestamp: time, take)
      }
    }
    #expect(viewer.durations == [Double](repeating: 4, count: 10))
    #expect(viewer.segments.allSatisfy { !$0.isDiscontinuity })
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    let times = reader.packets.filter { $0.pid == 0x100 }.map(\.dts)
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 3_600 })
  }

  @Test func `sound from just before the first keyframe is kept`() throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    // A second of a group that began before: only its last quarter's sound can be used.
    viewer.watch(publisher.frames(from: 1_000, seconds: 8), packager)
    if let last = packager.interrupt() { viewer.take([last]) }
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    let sound = try #require(reader.packets.first { $0.pid == 0x101 })
    let picture = try #require(reader.packets.first { $0.pid == 0x100 })
    #expect((18_000...22_500).contains(picture.dts - sound.dts))
    #expect(sound.dts == 900_000)
  }

  @Test func `timestamps run through 33 bits`() throws {
    let publisher = Publisher()
    let start = MediaTime(ticks: (1 << 33) - 900_000 - 90_000 * 10)
    let state = WindowState(
      nextSequence: 7, discontinuitySequence: 2, targetDuration: 4, endTime: start, endDate: 0)
    let packager = try packager(publisher, state: state)
    var viewer = Viewer(state: state)
    viewer.watch(publisher.frames(seconds: 60), packager)
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.dropFirst().allSatisfy { !$0.isDiscontinuity })
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    let times = reader.packets.filter { $0.pid == 0x100 }.map(\.dts)
    let steps = zip(times, times.dropFirst()).map { ($1 - $0) & 0x1_FFFF_FFFF }
    #expect(steps.allSatisfy { $0 == 3_600 })
    #expect(times.contains { $0 < 90_000 } && times.contains { $0 > 8_589_000_000 })
  }

  @Test func `decoding never comes after showing`() throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    for var frame in publisher.frames(seconds: 30) {
      // All offsets two pictures too small: some are negative.
      if frame.track == .video {
        let order = [2, 4, 1, 1][Int(frame.dts.milliseconds / 40 % 4)] - 2
        frame.pts = frame.dts + MediaTime(milliseconds: Int64(order) * 40)
      }
      viewer.watch([frame], packager)
    }
    var reader = TransportStreamReader()
    for segment in viewer.segments { reader.read(segment.bytes) }
    #expect(reader.problems == [])
    let pictures = reader.packets.filter { $0.pid == 0x100 }
    #expect(pictures.allSatisfy { $0.pts >= $0.dts })
    #expect(zip(pictures, pictures.dropFirst()).allSatisfy { $1.dts > $0.dts })
    // The order and the distance of what is shown stay as they were.
    #expect(pictures[7].pts - pictures[4].pts == 2 * 3_600)
    #expect(pictures[5].pts - pictures[4].pts == 3 * 3_600)
    #expect(pictures[4].pts == 900_000 + 4 * 3_600)
  }

  /// What a publisher's frames are dated by a node that goes on with its stream, and gets them
  /// late.
  private func date(
    after gap: Int64, late: Int64, wraps: Bool = false, isSame: Bool = true
  ) throws -> (last: Segment, next: Segment) {
    let publisher = Publisher()
    let first = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 21), first)
    let last = try #require(viewer.segments.last)
    let end = try #require(first.publisherEnd(of: last.sequence))
    let second = try packager(publisher, state: last.stateAfter)
    if isSame {
      let time = wraps ? end + MediaTime(milliseconds: 1 << 32) : end
      second.goOn(from: PublisherDate(time: time, date: last.stateAfter.endDate))
    }
    var next = Viewer(state: last.stateAfter)
    let frames = publisher.frames(from: end.milliseconds + gap, seconds: 20)
    next.watch(frames, second, date: 1_000_000 + late)
    #expect(next.segments.map(\.isDiscontinuity) == [true, false, false, false])
    let dates = next.segments.map(\.programDate)
    #expect(zip(dates, dates.dropFirst()).allSatisfy { $1 - $0 == 4_000 })
    return (last, try #require(next.segments.first))
  }

  @Test(arguments: [0, 5_000, 40_000], [false, true])
  func `what comes late at another node has the date of when it was filmed`(
    late: Int64, wraps: Bool
  ) throws {
    let (last, next) = try date(after: 0, late: late, wraps: wraps)
    #expect(next.programDate == last.programDate + last.duration.milliseconds)
  }

  @Test func `a segment that is made once more has the date that it had`() throws {
    let publisher = Publisher()
    let first = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 21), first)
    let (before, last) = try (
      #require(viewer.segments.dropLast().last), #require(viewer.segments.last)
    )
    let end = try #require(first.publisherEnd(of: last.sequence))
    var state = before.stateAfter
    state.endDate = 0
    let second = try packager(publisher, state: state)
    second.takeOver(firstEnd: end)
    second.goOn(from: PublisherDate(time: end, date: last.stateAfter.endDate))
    var next = Viewer(state: state)
    let start = try #require(first.publisherEnd(of: before.sequence))
    next.watch(publisher.frames(from: start.milliseconds, seconds: 20), second, date: 1_007_000)
    let again = try #require(next.segments.first)
    #expect(again.sequence == last.sequence)
    #expect(again.programDate == last.programDate)
  }

  @Test func `what never came is a gap in the dates, too`() throws {
    let (last, next) = try date(after: 4_000, late: 7_000)
    #expect(next.programDate == last.programDate + last.duration.milliseconds + 4_000)
  }

  @Test func `another publisher's frames are dated by when they come`() throws {
    let (last, next) = try date(after: 0, late: 5_000, isSame: false)
    #expect(next.programDate == last.programDate + last.duration.milliseconds + 5_000)
    // A time so far away is another clock's.
    let (before, after) = try date(after: 700_000, late: 5_000)
    #expect(after.programDate == before.programDate + before.duration.milliseconds + 705_000)
  }

  @Test func `a publisher that comes back by another connection is dated by its own clock`() throws
  {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 21), packager)
    viewer.take(packager.interrupt().map { [$0] } ?? [])
    let last = try #require(viewer.segments.last)
    for configuration in try publisher.configurations() { packager.configure(configuration) }
    packager.goOn(from: nil)
    viewer.watch(publisher.frames(from: 22_000, seconds: 9), packager, date: 1_009_000)
    let next = try #require(viewer.segments.first { $0.sequence == last.sequence + 1 })
    let gap = next.programDate - last.programDate - last.duration.milliseconds
    #expect((900...1_100).contains(gap))
  }

  /// An earlier publisher's, whose clock happens to be near.
  @Test func `what is known of a publisher counts before what another one has left here`() throws {
    let publisher = Publisher()
    let packager = try packager(publisher)
    var viewer = Viewer()
    viewer.watch(publisher.frames(seconds: 21), packager)
    viewer.take(packager.interrupt().map { [$0] } ?? [])
    let last = try #require(viewer.segments.last)
    for configuration in try publisher.configurations() { packager.configure(configuration) }
    packager.goOn(from: PublisherDate(time: MediaTime(milliseconds: 22_000), date: 1_500_000))
    viewer.watch(publisher.frames(from: 22_000, seconds: 9), packager, date: 1_509_000)
    let next = try #require(viewer.segments.first { $0.sequence == last.sequence + 1 })
    #expect((1_499_700...1_500_000).contains(next.programDate))
  }
}

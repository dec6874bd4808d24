import Viewers
import HLS
import Media
import Testing

@testable import Origin

@Suite struct `Key schedule` {
  private final class Schedule {
    private var schedule: KeySchedule

    init(_ segments: Int = 3, hours: Int64 = 24) {
      var configuration = KeySchedule.Configuration()
      configuration.segmentsPerKey = segments
      configuration.rotateEvery = MediaTime(milliseconds: hours * 3_600_000)
      schedule = KeySchedule(configuration: configuration)
    }

    var wants: Bool { schedule.takeWant() }
    func add(_ key: StreamKeyMaterial) { schedule.add(key) }
    func askAgain() { schedule.askAgain() }
    func rotate() { schedule.rotate() }

    func turn(_ milliseconds: Int64 = 0) -> [StreamKeyMaterial?] {
      guard let turn = schedule.key(now: MediaTime(milliseconds: milliseconds)) else { return [] }
      return [turn.key, turn.retired]
    }
  }

  private let first = StreamKeyMaterial.random(wedding: "w")
  private let second = StreamKeyMaterial.random(wedding: "w")

  @Test func `no segment is made before a key is there`() {
    let schedule = Schedule()
    #expect(schedule.turn().isEmpty)
    #expect(schedule.wants)
    #expect(!schedule.wants)
    schedule.add(first)
    #expect(schedule.turn() == [first, nil])
  }

  @Test func `a key is for so many segments, and the next is asked for meanwhile`() {
    let schedule = Schedule(3)
    schedule.add(first)
    var turns: [[StreamKeyMaterial?]] = []
    for index in 0..<5 {
      turns.append(schedule.turn())
      if index == 0, schedule.wants { schedule.add(second) }
    }
    #expect(
      turns == [[first, nil], [first, nil], [first, nil], [second, first], [second, nil]])
  }

  @Test func `a key that doesn't come makes the last one go on`() {
    let schedule = Schedule(2)
    schedule.add(first)
    for _ in 0..<10 { #expect(schedule.turn() == [first, nil]) }
    #expect(schedule.wants)
    #expect(!schedule.wants)
    schedule.askAgain()
    #expect(schedule.wants)
    schedule.add(second)
    #expect(schedule.turn() == [second, first])
  }

  @Test func `time is enough, and so is a wish`() {
    let schedule = Schedule(1_000, hours: 1)
    schedule.add(first)
    #expect(schedule.turn() == [first, nil])
    schedule.add(second)
    #expect(schedule.turn(3_599_999) == [first, nil])
    #expect(schedule.turn(3_600_000) == [second, first])
    schedule.add(first)
    schedule.rotate()
    schedule.rotate()
    #expect(schedule.turn(3_600_001) == [first, second])
    schedule.add(second)
    #expect(schedule.turn(3_600_002) == [first, nil])
  }

  @Test func `playlists say where a key is`() {
    #expect(first.segmentKey.uri == "/api/streams/keys/w/\(first.id).key")
  }
}

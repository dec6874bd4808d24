import Dispatch
import Events
import Foundation
import HLS
import Logging
import Media
import Synchronization
import Telemetry
import Testing

@testable import Origin

@Suite struct `Segment archive` {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "archive-\(UUID().uuidString)")

  private func segment(_ sequence: Int, bytes: [UInt8] = [0x47, 1, 2, 3]) -> Segment {
    Segment(
      name: Segment.name(sequence: sequence), sequence: sequence, discontinuitySequence: 0,
      bytes: bytes, duration: MediaTime(seconds: 4), startTime: .zero, programDate: 0,
      isDiscontinuity: false, isIndependent: true, targetDuration: 4)
  }

  private func archive(
    _ path: String? = nil, limitBytes: Int = 1 << 20, events: EventBus = EventBus()
  ) -> SegmentArchive {
    SegmentArchive(
      path ?? folder.path, limitBytes: limitBytes, events: events, metrics: MetricRegistry(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test func `one that is stored again is there once its own writing is done`() async throws {
    let queue = DispatchQueue(label: "test")
    let registry = MetricRegistry()
    let archive = SegmentArchive(
      folder.path, limitBytes: 1 << 20, metrics: registry,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, queue: queue)
    let segment = segment(1)
    func text() -> String { String(decoding: registry.text(), as: UTF8.self) }
    queue.suspend()
    archive.store(segment, of: "w")
    archive.release(segment)
    archive.store(segment, of: "w")
    queue.resume()
    queue.sync {}
    #expect(archive.state(segment) == .stored)
    #expect(exists(archive.path(segment)))
    #expect(text().contains("wedlive_dvr_bytes 4\n"))
    archive.release(segment)
    #expect(text().contains("wedlive_dvr_bytes 0\n"))
  }

  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  @Test func `a file goes with the last playlist that has it`() async throws {
    let archive = archive()
    let segment = segment(7)
    // The program has it under another number.
    let other = segment.standing(after: .init(), isDiscontinuity: false, programDate: 0)
    #expect(other.name != segment.name)
    archive.store(segment, of: "w")
    archive.store(other, of: "w")
    #expect(await eventually { archive.state(segment) == .stored })
    #expect(archive.state(other) == .stored)
    #expect(archive.path(other) == archive.path(segment))
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: archive.path(segment))) == Data([0x47, 1, 2, 3]))
    archive.release(segment)
    archive.hold(other)
    archive.release(other)
    #expect(archive.state(other) == .stored)
    archive.release(other)
    #expect(archive.state(other) == .failed)
    let path = archive.path(other)
    #expect(await eventually { !exists(path) })
  }

  @Test func `what another process has left goes`() async throws {
    let old = folder.appendingPathComponent("ab/abcd.ts")
    try FileManager.default.createDirectory(
      at: old.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data([1]).write(to: old)
    let archive = archive()
    #expect(await eventually { !exists(old.path) })
    let segment = segment(1)
    archive.store(segment, of: "w")
    #expect(await eventually { archive.state(segment) == .stored })
  }

  @Test func `a disk that takes nothing is told once, and nothing waits for it`() async {
    let events = EventBus()
    var told = events.subscribe().makeAsyncIterator()
    let failing = archive("/proc/nothing-can-be-made-here", events: events)
    let segments = (0..<3).map { segment($0) }
    for segment in segments { failing.store(segment, of: "w") }
    for segment in segments { #expect(await eventually { failing.state(segment) == .failed }) }
    let event = await told.next()
    #expect(event?.kind == .errorOccurred)
    #expect(event?.data["code"] == "dvr_failed")
  }

  @Test func `some of the disk stays free for records and recordings`() async {
    let events = EventBus()
    var told = events.subscribe().makeAsyncIterator()
    let room = Mutex(103)
    let archive = SegmentArchive(
      folder.path, limitBytes: 1 << 20, reserveBytes: 100, events: events,
      metrics: MetricRegistry(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      room: { _ in room.withLock { $0 } })
    let (first, second) = (segment(1), segment(2))
    archive.store(first, of: "w")
    #expect(await eventually { archive.state(first) == .failed })
    #expect(!exists(archive.path(first)))
    guard case .text(let words) = await told.next()?.data["message"] else {
      Issue.record("nothing is told")
      return
    }
    #expect(words.contains("recording.reserve"))
    room.withLock { $0 = 104 }
    archive.store(second, of: "w")
    #expect(await eventually { archive.state(second) == .stored })
  }

  @Test func `what waits for the disk has a bound, and that is told`() async {
    let events = EventBus()
    var told = events.subscribe().makeAsyncIterator()
    let archive = archive(limitBytes: 10, events: events)
    let small = segment(0)
    let large = segment(1, bytes: Array(repeating: 0, count: 11))
    archive.store(large, of: "w")
    archive.store(small, of: "w")
    #expect(archive.state(large) == .failed)
    #expect(await eventually { archive.state(small) == .stored })
    let event = await told.next()
    #expect(event?.data["code"] == "dvr_failed")
    guard case .text(let words) = event?.data["message"] else {
      Issue.record("no words")
      return
    }
    #expect(words.contains("streams.dvr_buffer"))
  }
}

import Foundation
import Media
import Testing

@testable import Recording

@Suite struct `Part names` {
  @Test func `hold the stream and the second`() {
    let name = PartName(wedding: "ana", camera: "main", quality: "source")
    #expect(name.file(at: 1_790_000_000_000).hasPrefix("ana-main-source_2026"))
    #expect(name.file(at: 1_790_000_000_000).count == "ana-main-source_20260921_123320.flv".count)
    #expect(name.file(at: 1_790_000_000_000) < name.file(at: 1_790_000_001_000))
  }
}

@Suite struct `Part writer` {
  let folder: Folder
  var configuration: PartWriter.Configuration

  init() throws {
    folder = try Folder()
    configuration = PartWriter.Configuration(
      root: folder.path, folder: folder.file("r"),
      name: PartName(wedding: "w", camera: "main", quality: "source"))
  }

  /// What a writer did, and the time and room that it sees.
  private final class World {
    var now: Int64 = 1_790_000_000_000
    var room: Int? = 1 << 40
    var notices: [PartWriter.Notice] = []
    var ends: [PartEnd] {
      notices.compactMap { if case .ended(_, _, let end) = $0 { end } else { nil } }
    }
    var refusals: [PartEnd] {
      notices.compactMap { if case .refused(let end) = $0 { end } else { nil } }
    }
  }

  private func writer(_ world: World) -> PartWriter {
    PartWriter(
      configuration, now: { world.now }, room: { world.room },
      notice: { world.notices.append($0) })
  }

  private func files() -> [String] { folder.names("r").filter { $0.hasSuffix(".flv") } }

  private func give(
    _ messages: [RecordedMessage], to writer: inout PartWriter, at came: Int64 = 1_790_000_000_000
  ) {
    for message in messages { writer.take(.message(message, at: came)) }
  }

  @Test func `messages come out as they came in`() throws {
    let world = World()
    var writer = writer(world)
    var stream = TestMessages()
    let messages = TestMessages.headers + stream.next(50)
    give(messages, to: &writer)
    writer.finish(.publisherLeft("closed"))
    let written = try tags(folder.bytes("r/\(try #require(files().first))"))
    #expect(written.map(\.body) == messages.map(\.payload))
    #expect(written.map(\.timestamp) == messages.map(\.timestamp))
    #expect(world.ends == [.publisherLeft("closed")])
    guard case .ended(let bytes, let milliseconds, _) = world.notices.last else {
      Issue.record("no end")
      return
    }
    #expect(bytes == (try folder.bytes("r/\(files()[0])").count))
    #expect(milliseconds == 49 * 40)
  }

  @Test func `a part begins when its first message came, however late the disk is`() {
    let world = World()
    var writer = writer(world)
    var stream = TestMessages()
    let came = world.now
    world.now += 5_000
    give(TestMessages.headers + stream.next(5), to: &writer, at: came)
    guard case .began(_, let time) = world.notices.first else {
      Issue.record("nothing began")
      return
    }
    #expect(time == came)
  }

  @Test func `a part is split at a keyframe, with the headers again`() throws {
    let world = World()
    var writer = PartWriter(
      change { $0.maximumBytes = 32_000 }, now: { world.now }, room: { nil },
      notice: { world.notices.append($0) })
    var stream = TestMessages()
    let messages = TestMessages.headers + stream.next(900)
    give(messages, to: &writer)
    writer.finish(.stopped)
    #expect(files().count == 4)
    #expect(world.ends == [.split, .split, .split, .stopped])
    var bodies: [[UInt8]] = []
    for file in files() {
      let part = try tags(folder.bytes("r/\(file)"))
      #expect(part.prefix(3).map(\.body) == TestMessages.headers.map(\.payload))
      #expect(part[3].body.first == 0x17)
      #expect(part[1].timestamp == part[3].timestamp)
      bodies += part.dropFirst(3).map(\.body)
    }
    // Nothing is lost between them, and nothing is there twice.
    #expect(bodies == messages.dropFirst(3).map(\.payload))
  }

  private func change(
    _ body: (inout PartWriter.Configuration) -> Void
  ) -> PartWriter.Configuration {
    var changed = configuration
    body(&changed)
    return changed
  }

  @Test func `a part without keyframes is split all the same`() throws {
    let world = World()
    var writer = PartWriter(
      change { $0.maximumBytes = 4_000 }, now: { world.now }, room: { nil },
      notice: { world.notices.append($0) })
    var stream = TestMessages()
    stream.keyframeEvery = 10_000
    give(TestMessages.headers + stream.next(100), to: &writer)
    writer.finish(.stopped)
    #expect(files().count >= 3)
  }

  @Test func `a part begins with a keyframe, unless none comes for long`() throws {
    let world = World()
    var writer = writer(world)
    var stream = TestMessages()
    stream.picture = 5
    stream.keyframeEvery = 10_000
    give(TestMessages.headers + stream.next(10), to: &writer)
    #expect(files().isEmpty)
    world.now += 10_000
    give(stream.next(1), to: &writer)
    #expect(files().count == 1)
  }

  @Test func `sound alone is recorded`() throws {
    let world = World()
    var writer = writer(world)
    give([TestMessages.headers[2]], to: &writer)
    give([RecordedMessage(.audio, timestamp: 5, payload: [0xAF, 1, 7])], to: &writer)
    writer.finish(.stopped)
    #expect(try tags(folder.bytes("r/\(files()[0])")).map(\.body.count) == [4, 3])
  }

  @Test func `other settings begin another part`() throws {
    let world = World()
    var writer = writer(world)
    var stream = TestMessages()
    give(TestMessages.headers + stream.next(25), to: &writer)
    give(TestMessages.headers, to: &writer)
    give(stream.next(25), to: &writer)
    #expect(world.ends.isEmpty)
    give(
      [RecordedMessage(.videoHeader, timestamp: 0, payload: [0x17, 0, 0, 0, 0, 9])], to: &writer)
    give(stream.next(25), to: &writer)
    writer.finish(.stopped)
    #expect(world.ends == [.otherSettings, .stopped])
    #expect(try tags(folder.bytes("r/\(files()[1])"))[1].body.last == 9)
  }

  @Test func `what the disk was too slow for ends a part`() throws {
    let world = World()
    var writer = writer(world)
    var stream = TestMessages()
    give(TestMessages.headers + stream.next(30), to: &writer)
    writer.take(.gap)
    give(stream.next(30), to: &writer)
    writer.finish(.stopped)
    #expect(world.ends == [.slowDisk, .stopped])
    #expect(try tags(folder.bytes("r/\(files()[1])"))[3].body.first == 0x17)
  }

  @Test func `a full disk ends a part, and room begins another`() throws {
    let world = World()
    var writer = writer(world)
    var stream = TestMessages()
    give(TestMessages.headers + stream.next(30), to: &writer)
    world.room = 10
    world.now += 2_000
    writer.settle()
    #expect(world.ends == [.noRoom])
    give(stream.next(60), to: &writer)
    #expect(files().count == 1)
    world.now += 2_000
    give(stream.next(60), to: &writer)
    #expect(files().count == 1)
    world.room = 1 << 40
    world.now += 2_000
    give(stream.next(60), to: &writer)
    writer.finish(.stopped)
    #expect(files().count == 2)
    #expect(world.ends == [.noRoom, .stopped])
    // The end of the part has said it; nothing is said again and again.
    #expect(world.refusals.isEmpty)
  }

  @Test func `a folder that can't be written is said once, and tried again`() throws {
    let world = World()
    var stream = TestMessages()
    let broken = PartName(wedding: "w", camera: "main", quality: "source")
    var configuration = configuration
    configuration.folder = folder.file("no/such/folder")
    configuration.name = broken
    var writer = PartWriter(
      configuration, now: { world.now }, room: { nil }, notice: { world.notices.append($0) })
    for _ in 0..<5 {
      give(TestMessages.headers + stream.next(30), to: &writer)
      world.now += 3_000
    }
    #expect(world.refusals.count == 1)
    try FileManager.default.createDirectory(
      atPath: folder.file("no/such"), withIntermediateDirectories: true)
    give(stream.next(30), to: &writer)
    writer.finish(.stopped)
    // The part, and the list that it stands in.
    #expect(folder.names("no/such/folder").map { $0.hasSuffix(".flv") } == [false, true])
  }

  @Test func `a quota ends it for good`() throws {
    let world = World()
    let usage = WeddingUsage()
    var writer = PartWriter(
      change { $0.quota = Quota(usage: usage, recording: "r", limitBytes: 5_000) },
      now: { world.now }, room: { nil },
      notice: { world.notices.append($0) })
    var stream = TestMessages()
    give(TestMessages.headers + stream.next(200), to: &writer)
    #expect(world.ends == [.quota])
    #expect(writer.isOver)
    #expect(files().count == 1)
    #expect(usage.total == (try folder.bytes("r/\(files()[0])").count))
  }
}

@Suite struct `Recording intake` {
  private func intake(_ limit: Int) throws -> RecordingIntake {
    RecordingIntake(
      number: 1, try #require(StreamKey(wedding: "w")), quality: "source", plan: nil,
      limitBytes: limit)
  }

  @Test func `what doesn't fit is one gap, and headers outlive it`() throws {
    let intake = try intake(10_000)
    var stream = TestMessages()
    intake.append(TestMessages.headers + stream.next(200))
    intake.append([RecordedMessage(.videoHeader, timestamp: 0, payload: [9])])
    let first = intake.next(waiting: .zero).entries
    let gaps = first.count { if case .gap = $0 { true } else { false } }
    #expect(gaps == 1)
    // Nothing is taken while what was taken before is not written.
    intake.append(stream.next(1))
    #expect(intake.next(waiting: .zero).entries.isEmpty)
    intake.wrote(
      first.reduce(0) {
        if case .message(let message, _) = $1 { $0 + message.keptBytes } else { $0 }
      })
    intake.append(stream.next(1))
    let second = intake.next(waiting: .zero).entries
    guard case .message(let header, _) = second.first else {
      Issue.record("no header")
      return
    }
    #expect(header.payload == [9])
    #expect(second.count == 3)
  }

  @Test func `the first end counts, and nothing comes after it`() throws {
    let intake = try intake(10_000)
    var stream = TestMessages()
    intake.append(stream.next(1))
    intake.end(.publisherLeft("x"))
    intake.end(.stopped)
    intake.append(stream.next(1))
    let (entries, end) = intake.next(waiting: .seconds(10))
    #expect(entries.count == 2)
    #expect(end == .publisherLeft("x"))
    #expect(!intake.isWanted)
  }
}

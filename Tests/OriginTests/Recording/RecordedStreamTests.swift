import Access
import ControlAPI
import Events
import Foundation
import HTTPTypes
import Logging
import Media
import RTMP
import Recording
import Store
import Telemetry
import Testing
import Transcode

@testable import Origin

/// A node that records, into a folder that goes with it.
private final class RecordingNode: Sendable {
  let path = NSTemporaryDirectory() + "wedlive-origin-\(UUID().uuidString)"
  let service: RecordingService
  let node: TestNode
  let recordings: OriginRecordings
  let orders: RecordingOrders
  private let run: Task<Void, Never>

  static let movie = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

  /// What a worker says that has made the files.
  private static let result = """
    {"durationSeconds": 2, "gaps": [], "leftOut": [], "thumbnails": [], "movies": [{
      "file": "recording.mp4", "bytes": 300000, "durationSeconds": 2,
      "playback": {"file": "hls.mp4", "bytes": 300000, "headerBytes": 1000,
        "segments": [{"offset": 1000, "bytes": 299000, "seconds": 2}]}}],
     "sprite": {"file": "sprite.jpg", "index": "sprite.vtt", "bytes": 1, "tiles": 1, "columns": 1,
       "tileWidth": 1, "tileHeight": 1, "intervalSeconds": 1}}
    """

  init(
    isAutomatic: Bool = true, qualities: [String] = ["source"],
    orders store: any RecordingOrderStore = MemoryRecordingOrders(),
    patience: Duration = .seconds(60),
    _ change: (inout OriginConfiguration) -> Void = { _ in }
  ) async throws {
    var configuration = RecordingConfiguration()
    configuration.isAutomatic = isAutomatic
    configuration.qualities = qualities
    configuration.path = path
    configuration.reserveBytes = 0
    configuration.reconnectWindow = .milliseconds(50)
    configuration.web = "https://node"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    service = RecordingService(
      configuration,
      RecordingService.Parts(
        store: MemoryRecordings(), jobs: MemoryJobs(), storage: nil,
        remux: { job, folder, _ throws(RemuxError) in try Self.make(folder) },
        events: EventBus(), metrics: RecordingMetrics(MetricRegistry()),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    let service = service
    run = Task { await service.run() }
    let orders = RecordingOrders(service.desk, store: store, patience: patience)
    self.orders = orders
    node = try await TestNode(recordings: service, orders: orders, change)
    recordings = OriginRecordings(service, loops: node.mailboxes, orders: orders)
  }

  deinit {
    run.cancel()
    try? FileManager.default.removeItem(atPath: path)
  }

  private static func make(_ folder: String) throws(RemuxError) -> RemuxResult {
    let files = [
      ("recording.mp4", movie), ("hls.mp4", movie), ("sprite.jpg", [1]),
      ("sprite.vtt", Array("WEBVTT\n\n00:00.000 --> 00:01.000\nsprite.jpg#xywh=0,0,1,1\n".utf8)),
    ]
    do {
      for (name, bytes) in files {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
      return try JSONDecoder().decode(RemuxResult.self, from: Data(result.utf8))
    } catch {
      throw RemuxError(.failed, "\(error)")
    }
  }

  /// The parts of all recordings, with what each holds.
  func parts() throws -> [[FLVTag]] {
    try FileManager.default.subpathsOfDirectory(atPath: path).filter { $0.hasSuffix(".flv") }
      .sorted().map { name in
        var reader = FLVReader()
        reader.append(Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))).span)
        var tags: [FLVTag] = []
        while let tag = try reader.next() { tags.append(tag) }
        return tags
      }
  }

  func states() async throws -> [String] {
    try await recordings.recordings(ofWedding: "w").map(\.state)
  }

  /// Publishes two seconds, and waits until they can be watched.
  func complete() async throws -> String {
    let publisher = try await node.publish(try node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    await publisher.leave()
    #expect(try await eventually { try await states() == ["completed"] })
    return try #require(try await recordings.recordings(ofWedding: "w").first?.recordingId)
  }
}

@Suite struct `A stream that is recorded` {
  @Test func `is on disk as it came`() async throws {
    let recording = try await RecordingNode()
    let encoder = Encoder()
    let pieces = encoder.headers + encoder.messages(seconds: 2)
    let publisher = try await recording.node.publish(try recording.node.token())
    await publisher.send(pieces)
    await publisher.leave()
    #expect(try await eventually { try await recording.states() == ["completed"] })
    let tags = try #require(try recording.parts().first)
    #expect(tags.map(\.body) == pieces.map(\.message.payload))
    #expect(tags.map(\.timestamp) == pieces.map(\.message.timestamp))
  }

  @Test func `begins in the middle where somebody asks for it then`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    let encoder = Encoder()
    let publisher = try await recording.node.publish(try recording.node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 4))
    #expect(try await recording.node.eventuallyPlaylist { !$0.entries.isEmpty })
    #expect(try await recording.states().isEmpty)
    let started = try await recording.recordings.start(wedding: "w", camera: "main")
    #expect(started.map(\.state) == ["recording"])
    // A second wish for the same changes nothing.
    #expect(
      try await recording.recordings.start(wedding: "w", camera: "main").map(\.recordingId)
        == started.map(\.recordingId))
    await publisher.send(encoder.messages(from: 4, seconds: 2))
    #expect(
      try await eventually {
        try await recording.recordings.recordings(ofWedding: "w")[0].duration > 1.5
      })
    _ = try await recording.recordings.stop(wedding: "w", camera: "main")
    await publisher.send(encoder.messages(from: 6, seconds: 2))
    #expect(try await eventually { try await recording.states() == ["completed"] })
    let tags = try #require(try recording.parts().first)
    #expect(tags.prefix(3).map(\.body) == encoder.headers.map(\.message.payload))
    #expect(tags[3].body.first == 0x17)
    #expect(tags[3].timestamp == 4_000)
    #expect(try #require(tags.last).timestamp < 6_000)
  }
}

@Suite struct `Wishes for a stream` {
  /// Publishes two seconds and leaves.
  private func publish(_ recording: RecordingNode) async throws {
    let publisher = try await recording.node.publish(try recording.node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(try await recording.node.eventuallyPlaylist { !$0.entries.isEmpty })
    await publisher.leave()
  }

  @Test func `one that isn't live is recorded when it begins`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    #expect(try await recording.recordings.start(wedding: "w", camera: "main").isEmpty)
    // Of that stream alone.
    #expect(try await recording.states().isEmpty)
    try await publish(recording)
    #expect(try await eventually { try await recording.states() == ["completed"] })
  }

  @Test func `a stop takes back a start for one that isn't live`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    _ = try await recording.recordings.start(wedding: "w", camera: "main")
    #expect(try await recording.recordings.stop(wedding: "w", camera: "main").isEmpty)
    await #expect(throws: APIError.self) {
      try await recording.recordings.stop(wedding: "w", camera: "main")
    }
    try await publish(recording)
    #expect(try await recording.states().isEmpty)
  }

  @Test func `a stop keeps one that isn't live from being recorded by itself`() async throws {
    let recording = try await RecordingNode()
    #expect(try await recording.recordings.stop(wedding: "w", camera: "main").isEmpty)
    try await publish(recording)
    #expect(try await recording.states().isEmpty)
  }

  @Test func `completing one quality leaves the others alone`() async throws {
    let recording = try await RecordingNode(qualities: ["source", "720p"])
    let key = try #require(StreamKey(wedding: "w"))
    let publisher = try await recording.node.publish(try recording.node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    let rung = recording.service.desk.open(key, quality: "720p", plan: nil)
    rung.append([RecordedMessage(.audio, timestamp: 5, payload: [0xAF, 1, 7])])
    func infos() async throws -> [String: RecordingInfo] {
      let all = try await recording.recordings.recordings(ofWedding: "w")
      return Dictionary(all.map { ($0.quality, $0) }, uniquingKeysWith: { first, _ in first })
    }
    #expect(try await eventually { try await infos()["720p"]?.fileSize ?? 0 > 0 })
    let id = try #require(try await infos()["720p"]?.recordingId)
    _ = try await recording.recordings.complete(id)
    #expect(try await eventually { try await infos()["720p"]?.state == "completed" })
    #expect(!rung.isWanted)
    #expect(try await infos()["source"]?.state == "recording")
    let before = try #require(try await infos()["source"]?.fileSize)
    await publisher.send(encoder.messages(from: 2, seconds: 2))
    #expect(try await eventually { try await infos()["source"]?.fileSize ?? 0 > before })
    // Nor does it begin anew before somebody asks for it.
    #expect(recording.service.desk.wants(key, "source"))
    #expect(!recording.service.desk.wants(key, "720p"))
    await publisher.leave()
  }
}

/// A store of orders that can be out of reach.
private actor AwayOrders: RecordingOrderStore {
  private let inner = MemoryRecordingOrders()
  private var isAway = false

  func set(away: Bool) { isAway = away }

  private func check() throws(StoreError) { if isAway { throw .unreachable("it is away") } }

  func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) {
    try check()
    try await inner.order(isRecorded, of: stream, now: now)
  }

  func order(of stream: StreamNumbers.Name, now: Int64) async throws(StoreError) -> Bool? {
    try check()
    return try await inner.order(of: stream, now: now)
  }

  func end(_ stream: StreamNumbers.Name) async throws(StoreError) {
    try check()
    try await inner.end(stream)
  }
}

/// A store of orders on a disk that stalls: nobody is ever answered.
private struct StalledOrders: RecordingOrderStore {
  private let never = AsyncStream.makeStream(of: Void.self)

  private func wait() async { for await _ in never.stream {} }

  func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) { await wait() }

  func order(of stream: StreamNumbers.Name, now: Int64) async throws(StoreError) -> Bool? {
    await wait()
    return nil
  }

  func end(_ stream: StreamNumbers.Name) async throws(StoreError) { await wait() }
}

@Suite(.timeLimit(.minutes(3))) struct `What was ordered of a stream` {
  private let name = StreamNumbers.Name(wedding: "w", camera: "main")

  @Test func `holds at the node that has it, whichever was asked`() async throws {
    let store = MemoryRecordingOrders()
    let asked = try await RecordingNode(isAutomatic: false, orders: store)
    let other = try await RecordingNode(isAutomatic: false, orders: store)
    #expect(try await asked.recordings.start(wedding: "w", camera: "main").isEmpty)
    let publisher = try await other.node.publish(try other.node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(
      try await eventually {
        try await other.recordings.recordings(ofWedding: "w").first?.duration ?? 0 > 1
      })
    // Whoever is asked ends it; the one that has it hears of that.
    _ = try await asked.recordings.stop(wedding: "w", camera: "main")
    let key = try #require(StreamKey(wedding: "w"))
    await other.recordings.refresh("w", live: [key])
    #expect(try await eventually { try await other.states() == ["completed"] })
    #expect(!other.service.desk.wants(key, "source"))
    await publisher.leave()
  }

  @Test func `is done where the stream is when it comes late`() async throws {
    let store = MemoryRecordingOrders()
    let asked = try await RecordingNode(isAutomatic: false, orders: store)
    let other = try await RecordingNode(isAutomatic: false, orders: store)
    let publisher = try await other.node.publish(try other.node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    _ = try await asked.recordings.start(wedding: "w", camera: "main")
    let key = try #require(StreamKey(wedding: "w"))
    await other.recordings.refresh("v", live: [key])
    #expect(try await other.states().isEmpty)
    await other.recordings.refresh(nil, live: [key])
    #expect(try await eventually { try await other.states() == ["recording"] })
    await publisher.leave()
  }

  @Test func `is done where the stream is just beginning when it comes`() async throws {
    let store = MemoryRecordingOrders()
    let asked = try await RecordingNode(isAutomatic: false, orders: store)
    let other = try await RecordingNode(isAutomatic: false, orders: store)
    let publisher = try await other.node.publish(try other.node.token())
    // It isn't on the air yet.
    _ = try await asked.recordings.start(wedding: "w", camera: "main")
    await other.recordings.refresh("w", live: [])
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(
      try await eventually {
        try await other.recordings.recordings(ofWedding: "w").first?.duration ?? 0 > 1
      })
    // Neither when it is to end: what was ordered is known here by then.
    _ = try await asked.recordings.stop(wedding: "w", camera: "main")
    await other.recordings.refresh("w", live: [])
    #expect(try await eventually { try await other.states() == ["completed"] })
    await publisher.leave()
  }

  @Test func `stays as it was when it is read while its recording is being stopped`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    let key = try #require(StreamKey(wedding: "w"))
    await recording.orders.order(true, of: key)
    let desk = recording.service.desk
    var reader: Task<[StreamKey], Never>?
    await recording.orders.stop(key) {
      desk.wish(key, isRecorded: false)
      let orders = recording.orders
      reader = Task { await orders.refresh("w", live: [key]) }
      // It has the time to read what holds no longer.
      for _ in 0..<1_000 { await Task.yield() }
      #expect(!desk.wants(key, "source"))
    }
    #expect(await reader?.value == [])
    #expect(!desk.wants(key, "source"))
  }

  @Test func `is over with the stream, for all`() async throws {
    let store = MemoryRecordingOrders()
    let asked = try await RecordingNode(isAutomatic: false, orders: store)
    let other = try await RecordingNode(isAutomatic: false, orders: store)
    _ = try await asked.recordings.start(wedding: "w", camera: "main")
    let key = try #require(StreamKey(wedding: "w"))
    await other.orders.learn(key)
    #expect(other.service.desk.wants(key, "source"))
    await other.orders.over(key)
    #expect(!other.service.desk.wants(key, "source"))
    #expect(try await store.order(of: name, now: 0) == nil)
    // Who was asked for it hears of that when the stream begins there.
    await asked.orders.learn(key)
    #expect(!asked.service.desk.wants(key, "source"))
  }

  @Test func `holds here while it can't be told, and is told when it can`() async throws {
    let store = AwayOrders()
    let recording = try await RecordingNode(isAutomatic: false, orders: store)
    let key = try #require(StreamKey(wedding: "w"))
    await store.set(away: true)
    _ = try await recording.recordings.start(wedding: "w", camera: "main")
    #expect(await !recording.orders.learn(key))
    #expect(recording.service.desk.wants(key, "source"))
    await store.set(away: false)
    await recording.orders.tellAgain()
    #expect(try await store.order(of: name, now: 0) == true)
    await store.set(away: true)
    await recording.orders.over(key)
    #expect(!recording.service.desk.wants(key, "source"))
    await store.set(away: false)
    #expect(await recording.orders.learn(key))
    #expect(try await store.order(of: name, now: 0) == nil)
    #expect(!recording.service.desk.wants(key, "source"))
  }

  @Test func `is waited for by no publisher where its store never answers`() async throws {
    let recording = try await RecordingNode(
      isAutomatic: false, orders: StalledOrders(), patience: .milliseconds(50))
    let publisher = try await recording.node.publish(try recording.node.token())
    // What is ordered then holds here all the same.
    _ = try await recording.recordings.start(wedding: "w", camera: "main")
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(try await eventually { try await recording.states() == ["recording"] })
    let key = try #require(StreamKey(wedding: "w"))
    await recording.orders.over(key)
    #expect(recording.service.desk.order(of: key) == nil)
    await publisher.leave()
  }

  @Test func `is of no program`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    await #expect(throws: APIError.self) {
      try await recording.recordings.start(wedding: "w", camera: "program")
    }
  }
}

@Suite struct `A recording that is watched` {
  @Test func `plays from byte ranges, and has its pictures beside it`() async throws {
    let recording = try await RecordingNode()
    let id = try await recording.complete()
    let base = "/hls/w/recordings/\(id)/"
    let (head, playlist) = try await recording.node.get(base + "index.m3u8")
    #expect(head.status == .ok)
    #expect(head.headerFields[.contentType] == "application/vnd.apple.mpegurl")
    let text = String(decoding: playlist, as: UTF8.self)
    #expect(text.contains("#EXT-X-BYTERANGE:299000@1000\nhls.mp4\n"))
    var fields = HTTPFields()
    fields[.range] = "bytes=1000-299999"
    let (part, bytes) = try await recording.node.get(base + "hls.mp4", .get, fields)
    #expect(part.status == .partialContent)
    #expect(part.headerFields[.contentRange] == "bytes 1000-299999/300000")
    #expect(bytes == Array(RecordingNode.movie[1_000...]))
    let (whole, movie) = try await recording.node.get(base + "recording.mp4")
    #expect(whole.status == .ok)
    #expect(movie == RecordingNode.movie)
    fields = [:]
    fields[.ifNoneMatch] = whole.headerFields[.eTag]
    let again = try await recording.node.get(base + "recording.mp4", .get, fields)
    #expect(again.response.status == .notModified)
    fields = [:]
    fields[.range] = "bytes=300000-"
    let beyond = try await recording.node.get(base + "hls.mp4", .get, fields)
    #expect(beyond.response.status == .rangeNotSatisfiable)
    #expect(try await recording.node.get(base + "sprite.jpg").body == [1])
  }

  @Test(arguments: ["nothing.mp4", "recording.json"])
  func `has no other files`(name: String) async throws {
    let recording = try await RecordingNode()
    let id = try await recording.complete()
    let answer = try await recording.node.get("/hls/w/recordings/\(id)/\(name)")
    #expect(answer.response.status == .notFound)
    #expect(
      String(decoding: answer.body, as: UTF8.self).contains("This recording has no such file"))
  }

  @Test func `needs a token of its wedding, and hands it on`() async throws {
    let recording = try await RecordingNode { $0.watchNeedsToken = true }
    let id = try await recording.complete()
    let base = "/hls/w/recordings/\(id)/"
    let own = try recording.node.token(.watch)
    #expect(try await recording.node.get(base + "index.m3u8").response.status == .unauthorized)
    #expect(!recording.service.shelf.isWatched(id))
    let other = try recording.node.token(.watch, wedding: "x")
    for file in ["index.m3u8", "hls.mp4", "sprite.vtt"] {
      let path = base + file + "?token="
      #expect(try await recording.node.get(path + other).response.status == .forbidden)
      let answer = try await recording.node.get(path + own)
      #expect(answer.response.status == .ok)
      #expect(answer.response.headerFields[.cacheControl]?.hasPrefix("private") == true)
      let text = String(decoding: answer.body, as: UTF8.self)
      if file == "index.m3u8" { #expect(text.contains("\nhls.mp4?token=\(own)\n")) }
      if file == "sprite.vtt" { #expect(text.contains("sprite.jpg?token=\(own)#xywh")) }
    }
    // Whoever may watch keeps it from being deleted by its age, and nobody else.
    #expect(recording.service.shelf.isWatched(id))
    // Not under another wedding's name, whoever asks.
    let stolen = try await recording.node.get("/hls/x/recordings/\(id)/hls.mp4?token=\(other)")
    #expect(stolen.response.status == .notFound)
  }

  @Test func `is gone when it is deleted`() async throws {
    let recording = try await RecordingNode()
    let id = try await recording.complete()
    #expect(try await recording.recordings.delete(id) == .deleted)
    for path in ["\(id)/hls.mp4", "\(id)/index.m3u8", "rec_never/index.m3u8", "index.m3u8"] {
      let answer = try await recording.node.get("/hls/w/recordings/\(path)")
      #expect(answer.response.status == .notFound)
      #expect(String(decoding: answer.body, as: UTF8.self).contains("There is no such recording"))
    }
  }
}

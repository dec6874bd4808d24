import ControlAPI
import Events
import Foundation
import Logging
import Media
import Recording
import Store
import Telemetry
import Testing
import Transcode

@testable import Origin

/// A node that records, into a folder that goes with it.
final class RecordingNode: Sendable {
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

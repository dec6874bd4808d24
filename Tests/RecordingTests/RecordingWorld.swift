import Events
import Foundation
import Logging
import Media
import Storage
import Store
import Synchronization
import Telemetry
import Testing

@testable import Recording
@testable import Transcode

/// A service on a folder, with a storage and a remuxer that do what a test wants.
final class World: Sendable {
  let folder: Folder
  let store = MemoryRecordings()
  let jobs = MemoryJobs()
  let storage: TestStorage?
  let remuxer = TestRemuxer()
  let events = EventBus()
  let registry = MetricRegistry()
  let service: RecordingService
  private let run = Mutex<Task<Void, Never>?>(nil)

  init(
    folder: Folder, storage: TestStorage? = nil, store: (any RecordingStore)? = nil,
    jobs: MemoryJobs? = nil,
    _ change: (inout RecordingConfiguration) -> Void = { _ in }
  ) {
    self.folder = folder
    self.storage = storage
    var configuration = RecordingConfiguration()
    configuration.isAutomatic = true
    configuration.path = folder.path
    configuration.reserveBytes = 0
    configuration.reconnectWindow = .milliseconds(50)
    configuration.web = "https://node"
    change(&configuration)
    let remuxer = remuxer
    service = RecordingService(
      configuration,
      RecordingService.Parts(
        store: store ?? self.store, jobs: jobs ?? self.jobs, storage: storage,
        remux: { job, folder, progress throws(RemuxError) in
          try await remuxer.remux(job, folder, progress)
        }, events: events, metrics: RecordingMetrics(registry),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
  }

  func start(besidesAnother: Bool = false) async throws {
    try await service.prepare(besidesAnother: besidesAnother)
    let service = service
    run.withLock { $0 = Task { await service.run() } }
  }

  /// As after SIGTERM.
  func stop() async {
    await service.shutDown()
    let task = run.withLock { $0 }
    await task?.value
  }

  /// As a kill, but for what the recorder has in memory.
  func kill() { run.withLock { $0?.cancel() } }

  /// Publishes some seconds, which came at a time in milliseconds since 1970, or now.
  func publish(
    _ key: StreamKey, plan: String? = nil, pictures: Int = 100, at time: Int64? = nil
  ) -> RecordingIntake {
    let intake = service.desk.open(key, quality: "source", plan: plan)
    var stream = TestMessages()
    intake.append(
      TestMessages.headers + stream.next(pictures), at: time ?? LogTime.now.milliseconds)
    return intake
  }

  func views() async throws -> [RecordingView] {
    try await service.recordings(ofWedding: "w")
  }

  func eventually(_ state: RecordingRecord.State, count: Int = 1) async throws -> Bool {
    try await RecordingTests.eventually {
      try await views().count { $0.record.state == state } == count
    }
  }

  /// The objects that the storage has, by the last part of their names.
  var stored: [String] { storage?.names.map { String($0.split(separator: "/")[2]) }.sorted() ?? [] }
}

/// Makes files as the worker does, without looking at the parts.
final class TestRemuxer: Sendable {
  struct State {
    var jobs: [RemuxJob] = []
    var failures: [RemuxError] = []
    var isHeld = false
    var leftOut: [String] = []
  }

  let state = Mutex(State())
  var jobs: [RemuxJob] { state.withLock { $0.jobs } }

  func remux(
    _ job: RemuxJob, _ folder: String, _ progress: @Sendable (Double) -> Void
  ) async throws(RemuxError) -> RemuxResult {
    let failure = state.withLock { state in
      state.jobs.append(job)
      return state.failures.isEmpty ? nil : state.failures.removeFirst()
    }
    if let failure { throw failure }
    progress(0.5)
    while state.withLock({ $0.isHeld }) {
      if Task.isCancelled { throw RemuxError(.cancelled, "cancelled") }
      try? await Task.sleep(for: .milliseconds(5))
    }
    for (name, size) in [("recording.mp4", 900), ("hls.mp4", 1_000), ("thumbnail-1.jpg", 10)] {
      let isMade = FileManager.default.createFile(
        atPath: "\(folder)/\(name)", contents: Data(repeating: 7, count: size))
      guard isMade else { throw RemuxError(.folder, "\(folder) can't be written") }
    }
    return RemuxResult(
      durationSeconds: 4,
      movies: [
        .init(
          file: "recording.mp4", bytes: 900, durationSeconds: 4, video: nil, audio: nil,
          playback: .init(
            file: "hls.mp4", bytes: 1_000, headerBytes: 100,
            segments: [
              .init(offset: 100, bytes: 500, seconds: 2),
              .init(offset: 600, bytes: 400, seconds: 2),
            ]))
      ], thumbnails: [.init(file: "thumbnail-1.jpg", bytes: 10, at: 1, width: 1, height: 1)],
      leftOut: state.withLock { $0.leftOut })
  }
}

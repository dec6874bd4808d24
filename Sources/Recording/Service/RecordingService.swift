package import Events
import Foundation
package import Logging
import Media
package import Storage
package import Store
import Telemetry
package import Transcode

/// Looks after the recordings of a node, from a stream's first message to where it is kept.
///
/// What streams and people ask for comes as mail and is done in its order, so that nobody finds a
/// recording half changed. Every step is in the records before the next one begins: a process that
/// is killed goes on with it.
package actor RecordingService {
  /// Who works for it.
  package struct Parts: Sendable {
    /// Makes movies and pictures of parts: `Remux.run`.
    package typealias Remuxing =
      @Sendable (
        _ job: RemuxJob, _ folder: String, _ progress: @escaping @Sendable (Double) -> Void
      ) async throws(RemuxError) -> RemuxResult

    package var store: any RecordingStore
    package var jobs: any JobStore
    /// Where finished recordings are kept; nil keeps them here.
    package var storage: (any ObjectStorage)?
    package var remux: Remuxing
    /// Has caches forget all that they have of a recording; throws where they can't be told now.
    package var purge: @Sendable (_ recording: RecordingRecord) async throws -> Void
    package var events: EventBus
    package var metrics: RecordingMetrics
    package var logger: Logger
    /// Milliseconds since 1970.
    package var now: @Sendable () -> Int64

    package init(
      store: any RecordingStore, jobs: any JobStore, storage: (any ObjectStorage)?,
      remux: @escaping Remuxing,
      purge: @escaping @Sendable (RecordingRecord) async throws -> Void = { _ in },
      events: EventBus, metrics: RecordingMetrics, logger: Logger,
      now: @escaping @Sendable () -> Int64 = { LogTime.now.milliseconds }
    ) {
      self.store = store
      self.jobs = jobs
      self.storage = storage
      self.remux = remux
      self.purge = purge
      self.events = events
      self.metrics = metrics
      self.logger = logger
      self.now = now
    }
  }

  /// How long a record is waited for before the recording goes on without it.
  static let patience = Duration.seconds(5)

  package nonisolated let configuration: RecordingConfiguration
  /// Where streams come to be recorded.
  package nonisolated let desk: RecordingDesk
  /// Those that can be watched.
  package nonisolated let shelf: RecordingShelf
  /// Reads them.
  package nonisolated let reader: KeptFileReader
  let parts: Parts
  private let mail: AsyncStream<RecordingMail>
  /// Recordings that were under way when the process before this one ended.
  var left: [RecordingRecord] = []
  private var isShuttingDown = false
  /// Whether another process of this node may still write recordings of its own.
  private var isBesidesAnother = false
  private nonisolated let post: AsyncStream<RecordingMail>.Continuation
  var open: [OpenRecording.Name: OpenRecording] = [:]
  /// What came for recordings that had been stopped and were not over yet.
  var late: [OpenRecording.Name: [RecordingIntake]] = [:]
  /// What the recordings of weddings take of which something is open, where there are quotas.
  var usages: [String: WeddingUsage] = [:]
  /// Whoever changes a recording that is over does so alone.
  let turns = Turns()
  /// All jobs, by recording, as their rows have them.
  var waitingJobs: [String: JobRecord] = [:] {
    didSet { parts.metrics.jobs.set(waitingJobs.count) }
  }
  /// Those that somebody works on, and how.
  var claimed: Set<String> = []
  /// Those that nobody may begin to work on.
  var held: Set<String> = []
  /// Those that are deleted and that caches have been told to forget.
  var purged: Set<String> = []
  var running: [String: Task<Void, Never>] = [:]
  /// How far the steps under way have come: 0...1.
  var progress: [String: Double] = [:]
  /// Those who wait for a job to be due.
  var resting: [Int: CheckedContinuation<Void, Never>] = [:]
  var nextRest = 0
  /// Those that are over and whose records could not be kept yet.
  var closing: [String: OpenRecording] = [:]

  /// Makes a service that does nothing before `run()`.
  package init(_ configuration: RecordingConfiguration, _ parts: Parts) {
    self.configuration = configuration
    self.parts = parts
    let (mail, post) = AsyncStream.makeStream(of: RecordingMail.self)
    self.mail = mail
    self.post = post
    shelf = RecordingShelf(now: parts.now)
    reader = KeptFileReader(parts.storage)
    desk = RecordingDesk(configuration) { post.yield(.opened($0)) }
  }

  /// Reads what the process before this one has left; before any publisher comes.
  ///
  /// - Parameter other: whether that is still there: what it has under way is its own until
  ///   `takeUp`.
  /// - Throws: what the store says.
  package func prepare(besidesAnother other: Bool = false) async throws(StoreError) {
    isBesidesAnother = other
    if !other { left = try await parts.store.recordings(in: [.recording]) }
    for record in left {
      guard let stream = StreamKey(wedding: record.stream.wedding, camera: record.stream.camera)
      else { continue }
      desk.note(OpenRecording.Name(stream: stream, quality: record.quality), isOpen: true)
    }
    try await fillShelf()
  }

  /// Has all that can be watched on the shelf.
  private func fillShelf() async throws(StoreError) {
    for record in try await parts.store.recordings(in: [.completed, .processing])
    where shelf.entry(record.id) == nil {
      shelf.put(KeptRecording(record), folder: folder(record.id))
    }
  }

  /// Looks after recordings until the task is cancelled or all is shut down.
  package func run() async {
    await withTaskGroup { group in
      for _ in 0..<configuration.jobs { group.addTask { await self.work() } }
      group.addTask { await self.keepHouse() }
      group.addTask { await self.forgetWishes() }
      if !isBesidesAnother { await recover() }
      for await letter in mail {
        await handle(letter)
        if isShuttingDown, !isWriting { break }
      }
      // Whatever they are in the middle of goes on at the next start.
      group.cancelAll()
      post.finish()
      for await letter in mail { letter.refuse() }
    }
  }

  /// Takes up what another process of this node has left, which has ended by now.
  package func takeUp() async {
    guard isBesidesAnother else { return }
    isBesidesAnother = false
    do throws(StoreError) {
      // What it has made until now.
      try await fillShelf()
      let own = Set(open.values.map(\.record.id)).union(closing.keys)
      left = try await parts.store.recordings(in: [.recording]).filter { !own.contains($0.id) }
      for record in left {
        guard let stream = StreamKey(wedding: record.stream.wedding, camera: record.stream.camera)
        else { continue }
        desk.note(OpenRecording.Name(stream: stream, quality: record.quality), isOpen: true)
      }
    } catch {
      parts.logger.error(
        "recordings not taken up: the records can't be read; start the node again when they can",
        metadata: ["error": "\(error)"])
    }
    await recover()
  }

  /// Ends with what publishers that have gone have left; the recordings go on at the next start.
  package func shutDown() {
    isShuttingDown = true
    send(.wake)
  }

  /// Whether a recorder has something to write.
  private var isWriting: Bool { open.values.contains { !$0.writers.isEmpty } }

  nonisolated func send(_ letter: RecordingMail) {
    if case .terminated = post.yield(letter) { letter.refuse() }
  }

  /// What somebody wanted of a stream is over with the stream.
  private func forgetWishes() async {
    for await event in parts.events.subscribe() where event.kind == .streamEnded {
      guard let stream = StreamKey(wedding: event.wedding, camera: event.camera ?? "main") else {
        continue
      }
      desk.forget(stream)
    }
  }

  private func handle(_ letter: RecordingMail) async {
    switch letter {
    case .opened(let intake): await begin(intake)
    case .report(let name, let intake, let report): await take(report, of: name, intake)
    case .expired(let id):
      guard let recording = open.values.first(where: { $0.record.id == id }),
        recording.writers.isEmpty
      else { return }
      await finish(recording)
    case .save(let id): await saveAgain(id)
    case .wake: break
    case .ask(let stream, let answer):
      answer.resume(
        returning: open.values.filter { $0.name.stream == stream }.map(\.record.id).sorted())
    case .stop(let stream, let answer):
      answer.resume(returning: await stop { $0.name.stream == stream })
    case .end(let id, let answer):
      _ = await stop { $0.record.id == id }
      answer.resume()
    }
  }

  func folder(_ id: String) -> RecordingFolder { RecordingFolder("\(configuration.path)/\(id)") }
}

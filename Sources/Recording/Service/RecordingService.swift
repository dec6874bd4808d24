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
    package var events: EventBus
    package var metrics: RecordingMetrics
    package var logger: Logger
    /// Milliseconds since 1970.
    package var now: @Sendable () -> Int64

    package init(
      store: any RecordingStore, jobs: any JobStore, storage: (any ObjectStorage)?,
      remux: @escaping Remuxing, events: EventBus, metrics: RecordingMetrics, logger: Logger,
      now: @escaping @Sendable () -> Int64 = { LogTime.now.milliseconds }
    ) {
      self.store = store
      self.jobs = jobs
      self.storage = storage
      self.remux = remux
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
  package nonisolated let reader: RecordingReader
  let parts: Parts
  private let mail: AsyncStream<RecordingMail>
  /// Recordings that were under way when the process before this one ended.
  var left: [RecordingRecord] = []
  private var isShuttingDown = false
  private nonisolated let post: AsyncStream<RecordingMail>.Continuation
  var open: [OpenRecording.Name: OpenRecording] = [:]
  /// All jobs, by recording, as their rows have them.
  var waitingJobs: [String: JobRecord] = [:] {
    didSet { parts.metrics.jobs.set(waitingJobs.count) }
  }
  /// Those that somebody works on, and how.
  var claimed: Set<String> = []
  /// Those that nobody may begin to work on.
  var held: Set<String> = []
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
    reader = RecordingReader(parts.storage)
    desk = RecordingDesk(configuration) { post.yield(.opened($0)) }
  }

  /// Reads what the process before this one has left; before any publisher comes.
  package func prepare() async throws(StoreError) {
    left = try await parts.store.recordings(in: [.recording])
    for record in left {
      guard let stream = StreamKey(wedding: record.stream.wedding, camera: record.stream.camera)
      else { continue }
      desk.note(stream, isOpen: true)
    }
    for record in try await parts.store.recordings(in: [.completed, .processing]) {
      shelf.put(KeptRecording(record), folder: folder(record.id))
    }
  }

  /// Looks after recordings until the task is cancelled or all is shut down.
  package func run() async {
    await withTaskGroup { group in
      for _ in 0..<configuration.jobs { group.addTask { await self.work() } }
      group.addTask { await self.keepHouse() }
      group.addTask { await self.forgetWishes() }
      await recover()
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
    case .stop(let stream, let answer): answer.resume(returning: await stopAll(of: stream))
    }
  }

  // MARK: Beginnings

  /// A stream's messages come: they go on in the recording that waits for them, or begin one.
  private func begin(_ intake: RecordingIntake) async {
    let name = OpenRecording.Name(stream: intake.stream, quality: intake.quality)
    let left: Int?
    do throws(StoreError) {
      left = try await quotaLeft(intake)
    } catch {
      parts.logger.error(
        "recording quota not known", metadata: metadata(name, ["error": "\(error)"]))
      left = nil
    }
    if let left, left <= 0 {
      intake.abandon()
      parts.metrics.partEnded(.quota)
      return tell(fault: .quota, name, id: open[name]?.record.id)
    }
    var recording = open[name] ?? make(intake, name)
    recording.expiry?.cancel()
    recording.expiry = nil
    // Whoever begins again before the end has come goes on.
    recording.isStopped = false
    recording.writers[intake.number] = OpenRecording.Writer(intake: intake)
    let isNew = open[name] == nil
    open[name] = recording
    if isNew { desk.note(name.stream, isOpen: true) }
    countActive()
    await save(recording)
    var writing = PartWriter.Configuration(
      root: configuration.path, folder: folder(recording.record.id).path,
      name: PartName(
        wedding: name.stream.wedding, camera: name.stream.camera, quality: name.quality))
    writing.label =
      RecordingFolder.Label(
        id: recording.record.id, wedding: name.stream.wedding, camera: name.stream.camera,
        quality: name.quality, plan: recording.document.plan, started: recording.record.started
      ).bytes
    writing.maximumBytes = configuration.maximumBytes
    writing.reserveBytes = configuration.reserveBytes
    writing.syncEvery = configuration.syncEvery
    writing.quotaBytes = left
    FLVRecorder.start(intake, writing) { [self] report in
      send(.report(name, intake: intake.number, report))
    }
    if isNew {
      tell(
        .recordingStarted, recording, ["started_at": .integer(recording.record.started / 1_000)])
      log(.info, "recording.started", recording)
    }
  }

  private func make(_ intake: RecordingIntake, _ name: OpenRecording.Name) -> OpenRecording {
    let stream = intake.stream
    return OpenRecording(
      name: name,
      record: RecordingRecord(
        id: Self.newID(), stream: .init(wedding: stream.wedding, camera: stream.camera),
        quality: intake.quality, state: .recording, started: parts.now()),
      document: RecordingDocument(plan: intake.plan))
  }

  /// A name that nobody can guess, and nobody has had.
  private static func newID() -> String {
    let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
    return "rec_" + String((0..<16).map { _ in letters[Int.random(in: 0..<letters.count)] })
  }

  func folder(_ id: String) -> RecordingFolder { RecordingFolder("\(configuration.path)/\(id)") }

  /// What the wedding's recordings may still take; nil where nothing limits them.
  private func quotaLeft(_ intake: RecordingIntake) async throws(StoreError) -> Int? {
    guard let quota = configuration.quota(intake.plan) else { return nil }
    let wedding = intake.stream.wedding
    let store = parts.store
    let kept = try await waiting(atMost: Self.patience) { () async throws(StoreError) in
      try await store.recordings(ofWedding: wedding)
    }
    // Those that are finished make room.
    return kept.filter { $0.state != .completed }.reduce(quota) { $0 - Int($1.bytes) }
  }

  // MARK: Parts

  /// A recorder has come further.
  private func take(
    _ report: FLVRecorder.Report, of name: OpenRecording.Name, _ intake: UInt64
  ) async {
    guard var recording = open[name], recording.writers[intake] != nil else { return }
    switch report {
    case .part(.began(let file, let time)):
      var part = RecordingDocument.Part(file: file, started: time)
      part.end = nil
      recording.writers[intake]?.part = recording.document.parts.count
      recording.document.parts.append(part)
      recording.document.code = nil
      recording.document.reason = nil
    case .part(.grew(let bytes, let milliseconds)):
      update(&recording, intake, bytes, milliseconds)
      // The file itself tells how long it is: no row is written for that.
      open[name] = recording
      return
    case .part(.ended(let bytes, let milliseconds, let end)):
      update(&recording, intake, bytes, milliseconds)
      note(end, of: intake, in: &recording)
      parts.metrics.partEnded(end)
      if end.isFault { tell(fault: end, name, id: recording.record.id) }
      // What is full for good is over; what may go on waits for that like for a publisher.
      if end == .quota { recording.isStopped = true }
      log(end.isFault ? .error : .info, "recording.part", recording, ["end": "\(end)"])
    case .part(.refused(let why)):
      recording.document.code = why.code
      recording.document.reason = why.description
      parts.metrics.partEnded(why)
      tell(fault: why, name, id: recording.record.id)
      log(.error, "recording.refused", recording, ["end": "\(why)"])
    case .ended(let end):
      recording.writers[intake] = nil
      if end == .stopped { recording.isStopped = true }
      open[name] = recording
      countActive()
      if recording.writers.isEmpty {
        if recording.isStopped { return await finish(recording) }
        recording.expiry = expire(recording.record.id)
      }
    }
    open[name] = recording
    await save(recording)
  }

  private func countActive() {
    parts.metrics.active.set(open.values.count { !$0.writers.isEmpty })
  }

  private func update(
    _ recording: inout OpenRecording, _ intake: UInt64, _ bytes: Int, _ milliseconds: Int64
  ) {
    guard let part = recording.writers[intake]?.part else { return }
    parts.metrics.bytes.add(max(0, bytes - recording.document.parts[part].bytes))
    recording.document.parts[part].bytes = bytes
    recording.document.parts[part].milliseconds = milliseconds
  }

  private func note(_ end: PartEnd, of intake: UInt64, in recording: inout OpenRecording) {
    guard let part = recording.writers[intake]?.part else { return }
    recording.writers[intake]?.part = nil
    recording.document.parts[part].ended = parts.now()
    recording.document.parts[part].end = end.code
    recording.document.code = end.code
    recording.document.reason = end.description
  }

  // MARK: Ends

  /// Ends a recording unless its publisher comes back.
  func expire(_ id: String) -> Task<Void, Never> {
    let window = configuration.reconnectWindow
    return Task { [self] in
      try? await Task.sleep(for: window)
      if !Task.isCancelled { send(.expired(id: id)) }
    }
  }

  /// Stops a stream's recordings: what was received until now is written.
  ///
  /// - Returns: their names.
  private func stopAll(of stream: StreamKey) async -> [String] {
    var stopped: [String] = []
    for (name, var recording) in open where name.stream == stream {
      stopped.append(recording.record.id)
      recording.isStopped = true
      open[name] = recording
      for writer in recording.writers.values { writer.intake.end(.stopped) }
      if recording.writers.isEmpty { await finish(recording) }
    }
    return stopped
  }

  /// A recording is over: its job is kept, and then it is no longer open.
  func finish(_ recording: OpenRecording) async {
    var recording = recording
    recording.expiry?.cancel()
    recording.expiry = nil
    open[recording.name] = nil
    desk.note(recording.name.stream, isOpen: false)
    let end = recording.document.parts.last?.ended ?? parts.now()
    recording.record.ended = end
    let isEmpty = recording.document.partBytes == 0
    recording.record.state = isEmpty ? .failed : .processing
    closing[recording.record.id] = recording
    await close(recording)
  }

  /// Keeps what has become of a recording; tried again until it is kept.
  func close(_ recording: OpenRecording) async {
    let record = recording.current
    let parts = parts
    do throws(StoreError) {
      try await waiting(atMost: Self.patience) { () async throws(StoreError) in
        if record.state == .processing {
          try await parts.jobs.put(JobRecord(id: record.id, step: RecordingStep.first.rawValue))
        }
        try await parts.store.put(record)
      }
    } catch {
      log(.error, "recording.not_kept", recording, ["error": "\(error)"])
      return saveLater(record.id)
    }
    closing[record.id] = nil
    if record.state == .processing {
      enqueue(JobRecord(id: record.id, step: RecordingStep.first.rawValue))
    }
    if record.state == .failed {
      parts.metrics.ended("empty")
      tell(
        .recordingFailed, recording,
        ["reason": .text(recording.document.reason ?? "nothing was received")])
    }
    log(.info, "recording.ended", recording, ["reason": "\(recording.document.reason ?? "")"])
  }
}

import Events
import Foundation
import Logging
import Storage
import Store
import Telemetry
import Transcode

/// How a step of a job ends where it doesn't succeed.
enum StepFailure: Error {
  /// Worth trying again, after a while: why, for a person.
  case retry(code: String, String)
  /// Not without somebody's help, so it is tried again rarely.
  case needsHelp(code: String, String)
  /// Never.
  case final(code: String, String)
  /// It was told to stop: its checkpoint says where it goes on.
  case cancelled
}

extension RecordingService {
  /// A remux that has failed so often fails for good; the parts stay where they are.
  private static let remuxAttempts = 5
  private static let longestDelay: Int64 = 300_000

  /// Puts a job into the line.
  func enqueue(_ job: JobRecord) {
    waitingJobs[job.id] = job
    kick()
  }

  /// One of those who work on jobs; returns when its task is cancelled.
  func work() async {
    while !Task.isCancelled {
      guard let job = claim() else {
        await rest()
        continue
      }
      let task = Task { await perform(job) }
      running[job.id] = task
      await withTaskCancellationHandler {
        await task.value
      } onCancel: {
        task.cancel()
      }
      running[job.id] = nil
      claimed.remove(job.id)
      // Whatever comes next for it may be due by now.
      kick()
    }
  }

  /// The job that has been due for longest.
  private func claim() -> JobRecord? {
    let now = parts.now()
    let due = waitingJobs.values.filter { $0.due <= now && isFree($0.id) }
    guard let job = due.min(by: { ($0.due, $0.id) < ($1.due, $1.id) }) else { return nil }
    claimed.insert(job.id)
    return job
  }

  private func isFree(_ id: String) -> Bool { !claimed.contains(id) && !held.contains(id) }

  /// Waits until a job is due or there is news.
  private func rest() async {
    let next = waitingJobs.values.filter { isFree($0.id) }.map(\.due).min()
    let delay = next.map { min(60_000, max(10, $0 - parts.now())) } ?? 60_000
    let number = nextRest
    nextRest += 1
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if Task.isCancelled { return continuation.resume() }
        resting[number] = continuation
        Task { [self] in
          try? await Task.sleep(for: .milliseconds(delay))
          rouse(number)
        }
      }
    } onCancel: {
      Task { await self.rouse(number) }
    }
  }

  private func rouse(_ number: Int) { resting.removeValue(forKey: number)?.resume() }

  /// Those who wait for jobs look again.
  func kick() {
    let all = resting.values
    resting.removeAll()
    for continuation in all { continuation.resume() }
  }

  // MARK: Steps

  /// Does the next step of a job, and says in its row what comes after.
  private func perform(_ job: JobRecord) async {
    var job = job
    do throws(StepFailure) {
      guard let step = RecordingStep(rawValue: job.step) else {
        throw .needsHelp(
          code: "unknown_step",
          "the step \(job.step) is one of a newer version of wedlive; run that one")
      }
      guard var recording = try await load(job.id) else { return await drop(job) }
      switch step {
      case .remux: try await remux(&recording, &job)
      case .upload: try await upload(&recording, &job)
      case .confirm: try await confirm(&recording, &job)
      case .clean: try await clean(recording, &job)
      case .remove: try await remove(recording, &job)
      }
    } catch {
      await failed(&job, error)
    }
  }

  private func load(_ id: String) async throws(StepFailure) -> KeptRecording? {
    do throws(StoreError) {
      return try await parts.store.recording(id).map { KeptRecording($0) }
    } catch {
      throw .retry(code: "records", "the record can't be read: \(error)")
    }
  }

  /// Keeps a recording's record and its job's row, in this order.
  func keep(_ recording: KeptRecording?, _ job: JobRecord) async throws(StepFailure) {
    do throws(StoreError) {
      if let recording { try await parts.store.put(recording.current) }
      try await parts.jobs.put(job)
    } catch {
      throw .retry(code: "records", "the record can't be kept: \(error)")
    }
    waitingJobs[job.id] = job
  }

  /// Goes on with the next step.
  private func advance(
    _ recording: KeptRecording?, _ job: inout JobRecord, to step: RecordingStep
  ) async throws(StepFailure) {
    job.step = step.rawValue
    job.attempts = 0
    job.failure = nil
    job.due = parts.now()
    job.checkpoint = "{}"
    progress[job.id] = nil
    try await keep(recording, job)
  }

  /// There is nothing more to do.
  private func drop(_ job: JobRecord) async {
    do throws(StoreError) {
      try await parts.jobs.remove(job.id)
      waitingJobs[job.id] = nil
      progress[job.id] = nil
    } catch {
      var job = job
      await failed(&job, .retry(code: "records", "the job can't be taken off: \(error)"))
    }
  }

  private func failed(_ job: inout JobRecord, _ failure: StepFailure) async {
    let code: String
    let words: String
    var isLast = false
    job.attempts += 1
    switch failure {
    case .cancelled: return
    case .retry(let why, let text):
      (code, words) = (why, text)
      let delay = min(Self.longestDelay, Int64(1_000) << min(Int64(job.attempts - 1), 20))
      job.due = parts.now() + delay
      isLast =
        job.step == RecordingStep.remux.rawValue && why != "full" && why != "records"
        && job.attempts >= Self.remuxAttempts
    case .needsHelp(let why, let text):
      (code, words) = (why, text)
      job.due = parts.now() + Self.longestDelay
    case .final(let why, let text):
      (code, words) = (why, text)
      isLast = true
    }
    job.failure = words
    parts.metrics.retries.increment()
    parts.logger.warning(
      "recording.step_failed",
      metadata: [
        "recording": "\(job.id)", "step": "\(job.step)", "attempts": "\(job.attempts)",
        "code": "\(code)", "error": "\(words)",
      ])
    if isLast { return await giveUp(job, code, words) }
    if job.attempts == 1 { await tell(job, code, words) }
    waitingJobs[job.id] = job
    do throws(StoreError) {
      try await parts.jobs.put(job)
    } catch {
      // In memory it is tried again all the same; after a restart at once.
      parts.logger.error(
        "recording job not kept", metadata: ["recording": "\(job.id)", "error": "\(error)"])
    }
  }

  /// Somebody should know that a step doesn't succeed, though it is tried again.
  private func tell(_ job: JobRecord, _ code: String, _ words: String) async {
    guard let record = try? await parts.store.recording(job.id) else { return }
    parts.events.publish(
      Event(
        .errorOccurred, wedding: record.stream.wedding, camera: record.stream.camera,
        data: [
          "code": .text("recording_\(code)"), "message": .text(words),
          "recording_id": .text(job.id), "step": .text(job.step),
        ]))
  }

  /// A recording that nothing can be made of; its parts stay where they are.
  private func giveUp(_ job: JobRecord, _ code: String, _ words: String) async {
    guard let record = try? await parts.store.recording(job.id) else { return }
    var recording = KeptRecording(record)
    recording.record.state = .failed
    recording.document.code = code
    recording.document.reason = words
    do throws(StoreError) {
      try await parts.store.put(recording.current)
    } catch {
      var job = job
      return await failed(&job, .retry(code: "records", "the record can't be kept: \(error)"))
    }
    parts.metrics.ended("failed")
    parts.events.publish(
      recording.event(.recordingFailed, ["reason": .text(words), "code": .text(code)]))
    await drop(job)
  }

  // MARK: Remux

  private func remux(
    _ recording: inout KeptRecording, _ job: inout JobRecord
  ) async throws(StepFailure) {
    let folder = folder(recording.id)
    var order = RemuxJob(parts: recording.remuxParts(in: folder))
    guard !order.parts.isEmpty else {
      throw .final(code: "no_media", recording.document.reason ?? "nothing was recorded")
    }
    order.limits.niceness = 10
    let id = recording.id
    let result: RemuxResult
    do throws(RemuxError) {
      result = try await parts.remux(order, folder.path) { [self] value in
        Task { await note(progress: value, of: id) }
      }
    } catch {
      if error.code == .cancelled { throw .cancelled }
      throw error.canRetry
        ? .retry(code: error.code.rawValue, error.message)
        : .final(code: error.code.rawValue, error.message)
    }
    do throws(DiskError) {
      try await take(result, into: &recording, folder)
    } catch {
      throw .retry(code: error.isForRoom ? "full" : "disk", "\(error)")
    }
    if parts.storage == nil {
      recording.record.state = .completed
      try await keep(recording, job)
      complete(recording)
      await drop(job)
    } else {
      try await advance(recording, &job, to: .upload)
      shelf.put(recording, folder: folder)
    }
  }

  private func note(progress value: Double, of id: String) {
    if waitingJobs[id] != nil { progress[id] = value }
  }

  /// Notes what was made, and writes the playlist of it.
  private func take(
    _ result: RemuxResult, into recording: inout KeptRecording, _ folder: RecordingFolder
  ) async throws(DiskError) {
    var products: [RecordingDocument.Product] = []
    func add(_ file: String, _ bytes: Int, _ type: String) {
      products.append(.init(file: file, bytes: bytes, contentType: type))
    }
    for movie in result.movies {
      add(movie.file, movie.bytes, "video/mp4")
      if let playback = movie.playback { add(playback.file, playback.bytes, "video/mp4") }
    }
    if let playlist = RecordingPlaylist.text(result.movies) {
      let outcome = await Self.onDisk { () -> Result<Void, DiskError> in
        folder.write(Array(playlist.utf8), RecordingPlaylist.file)
      }
      try outcome.get()
      add(RecordingPlaylist.file, playlist.utf8.count, "application/vnd.apple.mpegurl")
    }
    for picture in result.thumbnails { add(picture.file, picture.bytes, "image/jpeg") }
    if let sprite = result.sprite {
      add(sprite.file, sprite.bytes, "image/jpeg")
      add(sprite.index, folder.bytes(of: sprite.index) ?? 0, "text/vtt")
    }
    var result = result
    for index in result.movies.indices { result.movies[index].playback?.segments = [] }
    recording.document.result = result
    recording.document.products = products
  }

  /// It can be watched from where it is kept.
  private func complete(_ recording: KeptRecording) {
    shelf.put(recording, folder: folder(recording.id))
    parts.metrics.ended("completed")
    parts.events.publish(
      recording.event(
        .recordingCompleted,
        [
          "duration": .integer(Int64(Double(recording.document.milliseconds) / 1_000)),
          "file_size": .integer(Int64(recording.document.result?.bytes ?? 0)),
          "cdn_url": .text(address(of: recording)),
        ]))
    parts.logger.info(
      "recording.completed",
      metadata: [
        "recording": "\(recording.id)", "wedding": "\(recording.record.stream.wedding)",
        "seconds": "\(recording.document.milliseconds / 1_000)",
        "bytes": "\(recording.document.keptBytes)",
      ])
    Task { [self] in await makeRoom(ofWedding: recording.record.stream.wedding) }
  }

  /// Where people find its movie: at the storage, or here.
  func address(of recording: KeptRecording) -> String {
    guard let movie = recording.document.result?.movies.first?.file else { return "" }
    let product = recording.document.products.first { $0.file == movie }
    return product?.object.flatMap { parts.storage?.address($0) }
      ?? address(of: movie, recording)
  }

  /// Where this node has a file of it for viewers.
  func address(of file: String, _ recording: KeptRecording) -> String {
    "\(configuration.web)/hls/\(recording.record.stream.wedding)/recordings/\(recording.id)/\(file)"
  }

  // MARK: Storage

  private func upload(
    _ recording: inout KeptRecording, _ job: inout JobRecord
  ) async throws(StepFailure) {
    guard let storage = parts.storage else { throw Self.noStorage }
    let folder = folder(recording.id)
    let all = max(1, recording.document.keptBytes)
    var done = recording.document.products.reduce(0) { $0 + ($1.object == nil ? 0 : $1.bytes) }
    for index in recording.document.products.indices {
      let product = recording.document.products[index]
      guard product.object == nil else { continue }
      if Task.isCancelled { throw .cancelled }
      let checkpoint = job.uploads[product.file]
      let (id, file, before) = (job.id, product.file, done)
      let object: StoredObject
      do throws(StorageError) {
        object = try await storage.put(
          folder.file(file), as: recording.objectName(file), contentType: product.contentType,
          from: checkpoint
        ) { [self] checkpoint in
          await note(checkpoint, of: file, job: id)
          await note(progress: Double(before + checkpoint.bytesSent) / Double(all), of: id)
        }
      } catch {
        job.checkpoint = waitingJobs[job.id]?.checkpoint ?? job.checkpoint
        throw StepFailure(error)
      }
      done += product.bytes
      parts.metrics.uploaded.add(product.bytes)
      recording.document.products[index].object = object
      job.checkpoint = waitingJobs[job.id]?.checkpoint ?? job.checkpoint
      job.uploads[file] = nil
      // One that succeeds begins to count anew for the next one.
      job.attempts = 0
      job.failure = nil
      try await keep(recording, job)
      note(progress: Double(done) / Double(all), of: id)
    }
    try await advance(recording, &job, to: .confirm)
  }

  private static let noStorage = StepFailure.needsHelp(
    code: "no_storage",
    "storage.kind is off, and this recording was to be uploaded; configure the storage again")

  /// Keeps where an upload has got to, for the process after this one.
  private func note(_ checkpoint: UploadCheckpoint, of file: String, job id: String) async {
    guard var job = waitingJobs[id] else { return }
    job.uploads[file] = checkpoint
    waitingJobs[id] = job
    do throws(StoreError) {
      try await parts.jobs.put(job)
    } catch {
      parts.logger.warning(
        "upload checkpoint not kept", metadata: ["recording": "\(id)", "error": "\(error)"])
    }
  }

  private func confirm(
    _ recording: inout KeptRecording, _ job: inout JobRecord
  ) async throws(StepFailure) {
    guard let storage = parts.storage else { throw Self.noStorage }
    var lost: [String] = []
    for index in recording.document.products.indices {
      guard let object = recording.document.products[index].object else {
        lost.append(recording.document.products[index].file)
        continue
      }
      do throws(StorageError) {
        guard try await !storage.confirm(object) else { continue }
      } catch {
        throw StepFailure(error)
      }
      recording.document.products[index].object = nil
      lost.append(recording.document.products[index].file)
    }
    guard lost.isEmpty else {
      job.step = RecordingStep.upload.rawValue
      job.checkpoint = "{}"
      try await keep(recording, job)
      throw .retry(
        code: "damaged",
        "the storage hasn't got \(lost.joined(separator: ", ")) as it was sent; it is sent again")
    }
    let isNews = recording.record.state != .completed
    recording.record.state = .completed
    try await advance(recording, &job, to: .clean)
    if isNews { complete(recording) }
  }

  /// The storage has confirmed all of it: what is here is deleted.
  private func clean(
    _ recording: KeptRecording, _ job: inout JobRecord
  ) async throws(StepFailure) {
    // Belt and braces: nothing is deleted here that nobody has confirmed.
    guard recording.record.state == .completed,
      recording.document.products.allSatisfy({ $0.object != nil })
    else { return try await advance(nil, &job, to: .upload) }
    try await delete(folder(recording.id))
    await drop(job)
  }

  func delete(_ folder: RecordingFolder) async throws(StepFailure) {
    let outcome = await Self.onDisk { () -> Result<Void, DiskError> in
      do throws(DiskError) {
        return .success(try folder.remove())
      } catch {
        return .failure(error)
      }
    }
    do throws(DiskError) {
      try outcome.get()
    } catch {
      throw .retry(code: "disk", "\(error)")
    }
  }

  // MARK: Deletion

  /// All of a recording goes: what was uploaded first, so that nothing is forgotten there.
  private func remove(
    _ recording: KeptRecording, _ job: inout JobRecord
  ) async throws(StepFailure) {
    if let storage = parts.storage {
      do throws(StorageError) {
        for checkpoint in job.uploads.values { try await storage.abandon(checkpoint) }
        for product in recording.document.products {
          if let object = product.object { try await storage.delete(object) }
        }
      } catch {
        throw StepFailure(error)
      }
    } else if recording.document.products.contains(where: { $0.object != nil }) {
      throw Self.noStorage
    }
    try await delete(folder(recording.id))
    do throws(StoreError) {
      try await parts.store.remove(recording.id)
    } catch {
      throw .retry(code: "records", "the record can't be deleted: \(error)")
    }
    parts.metrics.ended("deleted")
    parts.logger.info("recording.deleted", metadata: ["recording": "\(recording.id)"])
    await drop(job)
  }
}

extension StepFailure {
  init(_ error: StorageError) {
    self =
      switch error {
      case .cancelled: .cancelled
      default:
        error.isRetryable
          ? .retry(code: error.code, "\(error)") : .needsHelp(code: error.code, "\(error)")
      }
  }
}

extension JobRecord {
  /// Where uploads have got to, by file.
  var uploads: [String: UploadCheckpoint] {
    get {
      (try? JSONDecoder().decode(
        [String: UploadCheckpoint].self, from: Data(checkpoint.utf8))) ?? [:]
    }
    set { checkpoint = String(json: newValue) }
  }
}

import Logging
import Storage
import Store
import Telemetry

extension RecordingService {
  func upload(
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

  static let noStorage = StepFailure.needsHelp(
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

  func confirm(
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
  func clean(
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
    let outcome = await Self.onDisk { Result { () throws(DiskError) in try folder.remove() } }
    do throws(DiskError) {
      try outcome.get()
    } catch {
      throw .retry(code: "disk", "\(error)")
    }
  }

  // MARK: Deletion

  /// All of a recording goes: what was uploaded first, so that nothing is forgotten there.
  func remove(
    _ recording: KeptRecording, _ job: inout JobRecord
  ) async throws(StepFailure) {
    // First, however long the storage may be away; once, unless the process ends meanwhile.
    if !purged.contains(recording.id) {
      do {
        try await parts.purge(recording.record)
      } catch {
        throw .retry(code: "caches", "caches can't be told to forget it: \(error)")
      }
      purged.insert(recording.id)
    }
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
    purged.remove(recording.id)
    parts.metrics.ended("deleted")
    parts.logger.info("recording.deleted", metadata: ["recording": "\(recording.id)"])
    await drop(job)
  }
}

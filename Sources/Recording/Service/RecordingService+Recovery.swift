import Dispatch
import Foundation
import Glibc
import Logging
import Media
import Store

extension RecordingService {
  /// Takes up what the process before this one has left.
  ///
  /// Recordings that were under way are made whole and wait for their publishers, as after any
  /// drop; folders that no record knows are taken in by their labels.
  func recover() async {
    do throws(StoreError) {
      try await restoreJobs()
    } catch {
      parts.logger.error(
        "recordings not taken up: the records can't be read; start the node again when they can",
        metadata: ["error": "\(error)"])
    }
    for record in left { await recover(record, isNoted: true) }
    left = []
    await adopt()
  }

  /// Whoever waits to be processed has a job, also where the process was killed between the two.
  private func restoreJobs() async throws(StoreError) {
    for record in try await parts.store.recordings(in: [.processing])
    where try await parts.jobs.job(record.id) == nil {
      try await parts.jobs.put(JobRecord(id: record.id, step: RecordingStep.first.rawValue))
    }
    for record in try await parts.store.recordings(in: [.deleting])
    where try await parts.jobs.job(record.id) == nil {
      try await parts.jobs.put(JobRecord(id: record.id, step: RecordingStep.remove.rawValue))
    }
    // A process that ended between a recording's job and its record has left one too early.
    let recording = Set(try await parts.store.recordings(in: [.recording]).map(\.id))
    for var job in try await parts.jobs.jobs()
    where !recording.contains(job.id) && waitingJobs[job.id] == nil {
      // Whoever starts a node has seen to something: no job waits out what it had to wait.
      job.due = 0
      enqueue(job)
    }
  }

  /// - Parameters:
  ///   - record: of a recording that nobody writes.
  ///   - isNoted: whether the desk knows of it.
  private func recover(_ record: RecordingRecord, isNoted: Bool) async {
    guard
      let stream = StreamKey(wedding: record.stream.wedding, camera: record.stream.camera)
    else { return }
    let name = OpenRecording.Name(stream: stream, quality: record.quality)
    var recording = OpenRecording(
      name: name, record: record, document: RecordingDocument(json: record.document))
    let known = recording.document.parts
    let folder = folder(record.id)
    let logger = parts.logger
    let found = await Self.onDisk {
      Result { () throws(DiskError) in try FoundParts.repaired(known, in: folder, logger) }
    }
    do throws(DiskError) {
      recording.document.parts = try found.get()
    } catch {
      // A folder may never have been made; but what is on a disk that is away is not lost.
      if error.code != ENOENT || !known.isEmpty {
        if isNoted { desk.note(name, isOpen: false) }
        return parts.logger.error(
          "recording not taken up: mount its disk and start the node again, or delete it",
          metadata: ["recording": "\(record.id)", "error": "\(error)"])
      }
    }
    // Two of one stream can't both go on: the older one is over.
    if let older = open[name], older.record.started > record.started {
      // It went on in this process while another one still had this.
      return await finish(recording)
    }
    if let older = open[name] { await finish(older) }
    if !isNoted { desk.note(name, isOpen: true) }
    recording.runs = (recording.document.parts.compactMap(\.run).max() ?? -1) + 1
    recording.expiry = expire(record.id)
    open[name] = recording
    await save(recording)
    log(
      .notice, "recording.recovered", recording,
      ["parts": "\(recording.document.parts.count)", "bytes": "\(recording.document.partBytes)"])
  }

  /// Takes in folders that no record knows, as the records were lost.
  private func adopt() async {
    let path = configuration.path
    let labels = await Self.onDisk {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.sorted().compactMap { name -> RecordingFolder.Label? in
        let folder = RecordingFolder("\(path)/\(name)")
        guard let label = folder.label, label.id == name,
          (try? folder.parts())?.isEmpty == false
        else { return nil }
        return label
      }
    }
    for label in labels {
      guard (try? await parts.store.recording(label.id)) == .some(nil) else { continue }
      let document = RecordingDocument(plan: label.plan)
      await recover(
        RecordingRecord(
          id: label.id, stream: .init(wedding: label.wedding, camera: label.camera),
          quality: label.quality, state: .recording, started: label.started,
          document: document.json), isNoted: false)
    }
  }

  /// Runs what may wait for a disk away from the threads that all tasks share.
  static func onDisk<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: work()) }
    }
  }
}

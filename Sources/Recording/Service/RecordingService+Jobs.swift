import Events
import Foundation
import Logging
import Storage
import Store
import Telemetry
import Transcode

extension RecordingService {
  /// A remux that has failed so often fails for good; the parts stay where they are.
  private static let remuxAttempts = 5
  /// What is the recording's own fault by then: its worker ends, stands still or fails on it.
  ///
  /// A disk or the records come back, and are waited for.
  private static let hopeless: Set<String> = [
    RemuxError.Code.crashed.rawValue, RemuxError.Code.hung.rawValue,
    RemuxError.Code.failed.rawValue,
  ]
  /// What may succeed by itself is tried at least once a minute.
  private static let longestDelay: Int64 = 60_000
  /// What a person must see to is tried this often all the same.
  private static let helpDelay: Int64 = 300_000

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

  func rouse(_ number: Int) { resting.removeValue(forKey: number)?.resume() }

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
  func advance(
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
  func drop(_ job: JobRecord) async {
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
        job.step == RecordingStep.remux.rawValue && Self.hopeless.contains(why)
        && job.attempts >= Self.remuxAttempts
    case .needsHelp(let why, let text):
      (code, words) = (why, text)
      job.due = parts.now() + Self.helpDelay
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
}

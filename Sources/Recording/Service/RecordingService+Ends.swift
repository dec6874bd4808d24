import Events
import Logging
import Media
import Store
import Telemetry

// Recordings that are over.
extension RecordingService {
  /// Ends a recording unless its publisher comes back.
  func expire(_ id: String) -> Task<Void, Never> {
    let window = configuration.reconnectWindow
    return Task { [self] in
      try? await Task.sleep(for: window)
      if !Task.isCancelled { send(.expired(id: id)) }
    }
  }

  /// Stops recordings that are open: what was received until now is written.
  ///
  /// - Parameter isMeant: which ones.
  /// - Returns: their names.
  func stop(where isMeant: (OpenRecording) -> Bool) async -> [String] {
    var stopped: [String] = []
    for (name, var recording) in open where isMeant(recording) {
      stopped.append(recording.record.id)
      recording.isStopped = true
      open[name] = recording
      for writer in recording.writers.values { writer.intake.end(.stopped) }
      for intake in late[name] ?? [] { intake.end(.stopped) }
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
    desk.note(recording.name, isOpen: false)
    let wedding = recording.name.stream.wedding
    // What is left of it is in the records, which the next one that begins looks at.
    if !open.keys.contains(where: { $0.stream.wedding == wedding }) { usages[wedding] = nil }
    let end = recording.document.parts.last?.ended ?? parts.now()
    recording.record.ended = end
    let isEmpty = recording.document.partBytes == 0
    recording.record.state = isEmpty ? .failed : .processing
    if isEmpty { recording.explainEmptiness() }
    closing[recording.record.id] = recording
    await close(recording)
    for intake in late.removeValue(forKey: recording.name) ?? [] { await begin(intake) }
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
        [
          "reason": .text(recording.document.reason ?? ""),
          "code": .text(recording.document.code ?? ""),
        ])
    }
    log(.info, "recording.ended", recording, ["reason": "\(recording.document.reason ?? "")"])
  }
}

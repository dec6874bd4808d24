import Events
import Logging
import Store
import Telemetry

// What recorders tell of the files that they write.
extension RecordingService {
  /// A recorder has come further.
  func take(
    _ report: FLVRecorder.Report, of name: OpenRecording.Name, _ intake: UInt64
  ) async {
    guard var recording = open[name], recording.writers[intake] != nil else { return }
    switch report {
    case .part(.began(let file, let time)):
      recording.writers[intake]?.part = file
      let run = recording.writers[intake]?.run
      recording.document.insert(RecordingDocument.Part(file: file, started: time, run: run))
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
      // Another one may have begun since: the recording goes on with it.
      if end == .stopped, recording.writers.isEmpty { recording.isStopped = true }
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

  func countActive() {
    parts.metrics.active.set(open.values.count { !$0.writers.isEmpty })
  }

  private func update(
    _ recording: inout OpenRecording, _ intake: UInt64, _ bytes: Int, _ milliseconds: Int64
  ) {
    guard let part = part(of: intake, in: recording) else { return }
    parts.metrics.bytes.add(max(0, bytes - recording.document.parts[part].bytes))
    recording.document.parts[part].bytes = bytes
    recording.document.parts[part].milliseconds = milliseconds
  }

  private func note(_ end: PartEnd, of intake: UInt64, in recording: inout OpenRecording) {
    guard let part = part(of: intake, in: recording) else { return }
    recording.writers[intake]?.part = nil
    // A clock that was set back meanwhile ends nothing before its beginning.
    recording.document.parts[part].ended = max(
      parts.now(), recording.document.parts[part].started)
    recording.document.parts[part].end = end.code
    recording.document.code = end.code
    recording.document.reason = end.description
  }

  /// The place of the part that a recorder writes.
  private func part(of intake: UInt64, in recording: OpenRecording) -> Int? {
    guard let file = recording.writers[intake]?.part else { return nil }
    return recording.document.parts.lastIndex { $0.file == file }
  }
}

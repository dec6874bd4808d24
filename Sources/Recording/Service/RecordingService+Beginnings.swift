import Events
import Logging
import Media
import Store
import Telemetry

// Streams that come to be recorded.
extension RecordingService {
  /// A stream's messages come: they go on in the recording that waits for them, or begin one.
  func begin(_ intake: RecordingIntake) async {
    let name = OpenRecording.Name(stream: intake.stream, quality: intake.quality)
    if let known = open[name], known.isStopped, !known.writers.isEmpty {
      // What was stopped ends first: its last file is still being closed. This one begins then.
      return late[name, default: []].append(intake)
    }
    var recording = open[name] ?? make(intake, name)
    let quota = await quota(of: intake, for: recording)
    if let quota, quota.isUsedUp {
      intake.abandon()
      parts.metrics.partEnded(.quota)
      return tell(fault: .quota, name, id: open[name]?.record.id)
    }
    recording.expiry?.cancel()
    recording.expiry = nil
    let run = recording.runs
    recording.runs += 1
    recording.writers[intake.number] = OpenRecording.Writer(intake: intake, run: run)
    let isNew = open[name] == nil
    open[name] = recording
    if isNew { desk.note(name, isOpen: true) }
    countActive()
    await save(recording)
    FLVRecorder.start(intake, writing(recording, run, quota)) { [self] report in
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

  /// Where and how much a recorder writes.
  private func writing(
    _ recording: OpenRecording, _ run: Int, _ quota: Quota?
  ) -> PartWriter.Configuration {
    let name = recording.name
    var writing = PartWriter.Configuration(
      root: configuration.path, folder: folder(recording.record.id).path,
      name: PartName(
        wedding: name.stream.wedding, camera: name.stream.camera, quality: name.quality))
    writing.label =
      RecordingFolder.Label(
        id: recording.record.id, wedding: name.stream.wedding, camera: name.stream.camera,
        quality: name.quality, plan: recording.document.plan, started: recording.record.started
      ).bytes
    writing.run = run
    writing.maximumBytes = configuration.maximumBytes
    writing.reserveBytes = configuration.reserveBytes
    writing.syncEvery = configuration.syncEvery
    writing.quota = quota
    return writing
  }

  // MARK: Quotas

  /// What a recording may take, and what it takes it from; nil where no plan has a quota.
  private func quota(of intake: RecordingIntake, for recording: OpenRecording) async -> Quota? {
    guard configuration.hasQuotas else { return nil }
    let wedding = intake.stream.wedding
    let usage = usages[wedding] ?? WeddingUsage()
    usages[wedding] = usage
    let limit = configuration.quota(intake.plan)
    if limit != nil { await refresh(usage, ofWedding: wedding) }
    return Quota(usage: usage, recording: recording.record.id, limitBytes: limit)
  }

  /// Counts what the records know of a wedding's recordings; those that are written count
  /// themselves.
  private func refresh(_ usage: WeddingUsage, ofWedding wedding: String) async {
    let store = parts.store
    var kept: [RecordingRecord]?
    do throws(StoreError) {
      kept = try await waiting(atMost: Self.patience) { () async throws(StoreError) in
        try await store.recordings(ofWedding: wedding)
      }
    } catch {
      // What is written now is known all the same.
      parts.logger.error(
        "recording quota not known", metadata: ["wedding": "\(wedding)", "error": "\(error)"])
    }
    let own = (Array(open.values) + Array(closing.values)).filter {
      $0.name.stream.wedding == wedding
    }
    if let kept {
      let names = Set(own.map(\.record.id))
      // Those that are finished make room, and those that are deleted have.
      let others = kept.filter {
        $0.state != .completed && $0.state != .deleting && !names.contains($0.id)
      }
      usage.replace(others.map { ($0.id, Int($0.bytes)) }, besides: names)
    }
    for recording in own where recording.writers.isEmpty {
      usage.set(recording.record.id, recording.document.partBytes)
    }
  }

  /// A recording takes nothing of its wedding's quota any more.
  func giveBack(_ id: String, ofWedding wedding: String) { usages[wedding]?.remove(id) }
}

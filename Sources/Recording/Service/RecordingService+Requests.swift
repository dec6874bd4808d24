package import Media
import Store

extension RecordingService {
  /// What became of a recording that was to be deleted.
  package enum Deletion: Sendable, Equatable {
    /// It is gone, here and where it was uploaded to.
    case deleted
    /// Nobody can watch it any more; the storage has not deleted it yet, and is asked until it has.
    case underWay(String?)
  }

  /// How long somebody who deletes a recording waits for the storage.
  private static let deletionPatience = Duration.seconds(5)

  // MARK: Questions

  /// All recordings of a wedding, oldest first.
  package func recordings(
    ofWedding wedding: String
  ) async throws(RecordingError) -> [RecordingView] {
    let store = parts.store
    let kept: [RecordingRecord]
    do throws(StoreError) {
      kept = try await waiting(atMost: Self.patience) { () async throws(StoreError) in
        try await store.recordings(ofWedding: wedding)
      }
    } catch {
      throw .records("\(error)")
    }
    return merged(kept) { $0.stream.wedding == wedding }
  }

  /// All recordings of this node, oldest first.
  package func all() async throws(RecordingError) -> [RecordingView] {
    let store = parts.store
    let kept: [RecordingRecord]
    do throws(StoreError) {
      kept = try await waiting(atMost: Self.patience) { () async throws(StoreError) in
        try await store.recordings(in: Set(RecordingRecord.State.allCases))
      }
    } catch {
      throw .records("\(error)")
    }
    return merged(kept) { _ in true }
  }

  /// Those that are under way, for the operator: recorded, processed or deleted.
  package func underWay() async -> [RecordingView] {
    let store = parts.store
    let kept = try? await waiting(atMost: Self.patience) { () async throws(StoreError) in
      try await store.recordings(in: [.recording, .processing, .deleting])
    }
    return merged(kept ?? []) { _ in true }
  }

  /// What the records say, with what is newer in memory.
  private func merged(
    _ kept: [RecordingRecord], where isWanted: (RecordingRecord) -> Bool
  ) -> [RecordingView] {
    let newer = Array(open.values) + Array(closing.values)
    let fresh = Dictionary(
      newer.map { ($0.record.id, $0) }, uniquingKeysWith: { first, _ in first })
    let known = Set(kept.map(\.id))
    let unknown = fresh.values.map(\.current).filter { !known.contains($0.id) && isWanted($0) }
    return (kept + unknown).sorted { ($0.started, $0.id) < ($1.started, $1.id) }.map { record in
      view(KeptRecording(fresh[record.id]?.current ?? record), fresh[record.id])
    }
  }

  private func view(_ recording: KeptRecording, _ open: OpenRecording?) -> RecordingView {
    let job = waitingJobs[recording.id]
    let playlist = recording.document.products.first { $0.file == RecordingPlaylist.file }
    return RecordingView(
      record: recording.record, document: recording.document, step: job?.step,
      progress: job == nil ? nil : progress[recording.id] ?? 0, attempts: job?.attempts ?? 0,
      failure: job?.failure, retryAt: (job?.attempts ?? 0) > 0 ? job?.due : nil,
      isWriting: open?.writers.isEmpty == false, address: address(of: recording),
      playback: playlist.map { address(of: $0.file, recording) } ?? "")
  }

  /// One recording.
  package func recording(_ id: String) async throws(RecordingError) -> RecordingView {
    let store = parts.store
    let record: RecordingRecord?
    do throws(StoreError) {
      record = try await waiting(atMost: Self.patience) { () async throws(StoreError) in
        try await store.recording(id)
      }
    } catch {
      throw .records("\(error)")
    }
    let all = merged([record].compactMap { $0 }) { $0.id == id }
    guard let view = all.first(where: { $0.record.id == id }) else { throw .unknown }
    return view
  }

  /// Whether a recording is written here, or something is done with it.
  package func has(_ id: String) -> Bool {
    open.values.contains { $0.record.id == id } || closing[id] != nil || waitingJobs[id] != nil
  }

  /// The recordings of a stream that are open, once all is done that was asked for before.
  package func open(of stream: StreamKey) async -> [String] {
    await withCheckedContinuation { send(.ask(stream, $0)) }
  }

  // MARK: Wishes

  /// Ends the recordings of a stream, which are then processed.
  ///
  /// Its publisher is not recorded before somebody asks for it, or the stream is over; that holds
  /// for one that is yet to come, too.
  /// - Returns: their names; none where it only was to be recorded.
  /// - Throws: `.notRecording` where it was not, either.
  package func stop(_ stream: StreamKey) async throws(RecordingError) -> [String] {
    let wasWanted = desk.wants(stream)
    desk.wish(stream, isRecorded: false)
    let stopped = await withCheckedContinuation { send(.stop(stream, $0)) }
    guard wasWanted || !stopped.isEmpty else { throw .notRecording }
    return stopped
  }

  /// A recording is over: one that is open ends, and others of its stream go on; one that failed is
  /// processed once more, one that waits at once.
  ///
  /// That quality of the stream is not recorded again before somebody asks for it, or the stream is
  /// over.
  /// - Returns: its state.
  package func complete(_ id: String) async throws(RecordingError) -> RecordingView {
    guard let name = open.first(where: { $0.value.record.id == id })?.key else {
      return try await retry(id)
    }
    desk.end(name)
    await withCheckedContinuation { send(.end(id: id, $0)) }
    return try await recording(id)
  }

  /// Has a recording that failed processed once more, or one that waits at once.
  ///
  /// - Returns: its state.
  package func retry(_ id: String) async throws(RecordingError) -> RecordingView {
    await turns.enter(id)
    defer { turns.leave(id) }
    let now = try await recording(id)
    switch now.record.state {
    case .recording, .completed, .deleting: return now
    case .processing:
      if var job = waitingJobs[id], !claimed.contains(id) {
        job.due = 0
        enqueue(job)
      }
      return try await recording(id)
    case .failed:
      guard now.document.partBytes > 0 else { return now }
      var record = now.record
      record.state = .processing
      let job = JobRecord(id: id, step: RecordingStep.first.rawValue)
      do throws(StoreError) {
        try await parts.jobs.put(job)
        try await parts.store.put(record)
      } catch {
        throw .records("\(error)")
      }
      enqueue(job)
      return try await recording(id)
    }
  }

  /// Deletes a recording, whatever is being done with it: here and where it was uploaded to.
  ///
  /// What is under way for it ends first. Nobody can watch it when this returns.
  /// - Throws: `.unknown`; `.isRecording` while it is written.
  package func delete(_ id: String) async throws(RecordingError) -> Deletion {
    try await beginDeletion(id)
    return await outcome(of: id)
  }

  private func beginDeletion(_ id: String) async throws(RecordingError) {
    await turns.enter(id)
    defer { turns.leave(id) }
    _ = try await recording(id)
    // One whose disk was away at the start is open nowhere.
    let isOpen = open.values.contains { $0.record.id == id }
    guard !isOpen, closing[id] == nil else { throw .isRecording }
    await interrupt(id)
    defer { held.remove(id) }
    shelf.remove(id)
    // What was uploaded until now is in the record and in the job by now.
    let view = try await recording(id)
    var record = view.record
    record.state = .deleting
    var job = waitingJobs[id] ?? JobRecord(id: id, step: RecordingStep.remove.rawValue)
    job.step = RecordingStep.remove.rawValue
    job.attempts = 0
    job.failure = nil
    job.due = 0
    do throws(StoreError) {
      try await parts.store.put(record)
      try await parts.jobs.put(job)
    } catch {
      throw .records("\(error)")
    }
    giveBack(id, ofWedding: record.stream.wedding)
    held.remove(id)
    progress[id] = nil
    enqueue(job)
  }

  /// Ends what is being done with a recording, and keeps others from beginning anything.
  private func interrupt(_ id: String) async {
    held.insert(id)
    guard let task = running[id] else { return }
    task.cancel()
    await task.value
  }

  /// Waits a while for a deletion.
  private func outcome(of id: String) async -> Deletion {
    let end = ContinuousClock.now + Self.deletionPatience
    while let job = waitingJobs[id] {
      if job.attempts > 0 || ContinuousClock.now > end { return .underWay(job.failure) }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return .deleted
  }
}

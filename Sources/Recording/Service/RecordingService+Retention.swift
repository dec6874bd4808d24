import Logging
import Store

extension RecordingService {
  /// How often it is looked for recordings that have been kept for long enough.
  private static let interval = Duration.seconds(600)

  /// Deletes what has been kept for long enough, from time to time; returns when its task is
  /// cancelled.
  func keepHouse() async {
    while !Task.isCancelled {
      await expireRecordings()
      try? await Task.sleep(for: Self.interval)
    }
  }

  /// Deletes recordings that are older than they are to be kept; those that somebody watches or
  /// that are worked on have to wait.
  ///
  /// One that failed is the only copy there is, and stays.
  func expireRecordings() async {
    guard let keep = configuration.keep else { return }
    let limit = parts.now() - keep.components.seconds * 1_000
    guard let kept = try? await parts.store.recordings(in: [.completed]) else { return }
    for record in kept where (record.ended ?? record.started) < limit {
      await expire(record, why: "it has been kept for recording.keep_days")
    }
  }

  /// Deletes a wedding's oldest finished recordings until all of them are within its plan's quota;
  /// the one that has just been completed stays.
  func makeRoom(for newest: KeptRecording) async {
    guard let quota = configuration.quota(newest.document.plan),
      let all = try? await parts.store.recordings(ofWedding: newest.record.stream.wedding)
    else { return }
    var total = all.reduce(0) { $0 + Int($1.bytes) }
    for record in all where record.state == .completed && record.id != newest.id && total > quota {
      if await expire(record, why: "the wedding's recordings take more than its plan has") {
        total -= Int(record.bytes)
      }
    }
  }

  /// Deletes a recording unless somebody watches it or it is worked on.
  @discardableResult
  private func expire(_ record: RecordingRecord, why: String) async -> Bool {
    guard waitingJobs[record.id] == nil, !shelf.isWatched(record.id) else { return false }
    parts.logger.notice(
      "recording.expired",
      metadata: [
        "recording": "\(record.id)", "wedding": "\(record.stream.wedding)", "why": "\(why)",
      ])
    do throws(RecordingError) {
      _ = try await delete(record.id)
      return true
    } catch {
      parts.logger.warning(
        "recording not deleted",
        metadata: ["recording": "\(record.id)", "error": "\(error)"])
      return false
    }
  }
}

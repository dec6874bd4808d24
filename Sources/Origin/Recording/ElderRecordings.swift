import ControlAPI

/// What the processes before this one say of recordings that they write: the record of such a one,
/// which all of them read, doesn't say how much there is of it until it has ended.
struct ElderRecordings {
  /// Longer or larger is no recording: sums of such can't overflow.
  private static let most: Int64 = 1 << 53

  private let known: [String: RecordingStatus]

  /// - Parameter statuses: of those processes, the last one first.
  init(_ statuses: [NodeStatus]) {
    var known: [String: RecordingStatus] = [:]
    for var each in statuses.flatMap(\.recordings) where known[each.id] == nil {
      each.bytes = min(max(0, each.bytes), Self.most)
      each.durationMilliseconds = min(max(0, each.durationMilliseconds), Self.most)
      // Each tells of all that is under way, and knows no more than the record of what isn't its
      // own.
      if each.isWriting || each.bytes > 0 || each.step != nil { known[each.id] = each }
    }
    self.known = known
  }

  /// Puts what they write in the place of what is known of it here.
  func add(to recordings: inout [RecordingStatus]) {
    for index in recordings.indices where Self.isUnknown(recordings[index]) {
      guard let status = known[recordings[index].id] else { continue }
      recordings[index] = status
    }
    let names = Set(recordings.map(\.id))
    recordings += known.values.filter { !names.contains($0.id) }.sorted { $0.id < $1.id }
  }

  private static func isUnknown(_ status: RecordingStatus) -> Bool {
    !status.isWriting && status.step == nil
  }

  /// A recording with what they have of it by now.
  func grown(_ info: RecordingInfo) -> RecordingInfo {
    guard let status = known[info.recordingId], status.state == info.state else { return info }
    var info = info
    info.fileSize = max(info.fileSize, status.bytes)
    info.duration = max(info.duration, Double(status.durationMilliseconds) / 1_000)
    info.step = info.step ?? status.step
    info.progress = info.progress ?? status.progress
    return info
  }
}

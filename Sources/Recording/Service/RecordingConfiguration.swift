/// What is recorded, where, and for how long it is kept.
package struct RecordingConfiguration: Sendable, Equatable {
  /// Whether every stream is recorded, without being asked.
  package var isAutomatic = false
  /// The folder of all recordings; made if missing.
  package var path = "recordings"
  /// The renditions that are recorded: `source`, `720p`.
  package var qualities = ["source"]
  /// From this size on a part ends at the next keyframe, and another one begins.
  package var maximumBytes = 2_048 << 20
  /// What of one stream may wait for the disk, in memory.
  package var bufferBytes = 32 << 20
  /// What must stay free on the disk.
  package var reserveBytes = 256 << 20
  /// How often the disk is made to have what was written.
  package var syncEvery = Duration.seconds(2)
  /// How long a recording waits for its publisher to come back.
  package var reconnectWindow = Duration.seconds(60)
  /// How long a finished recording is kept; nil for ever.
  package var keep: Duration?
  /// What the recordings of one wedding may take, by its plan, in bytes; without a limit where
  /// there is none.
  package var quotas: [String: Int] = [:]
  /// The plan of publishers whose token names none.
  package var standardPlan = ""
  /// What addresses of this node begin with, as viewers reach it: `https://host`.
  package var web = ""
  /// How many recordings are processed at a time.
  package var jobs = 1

  package init() {}

  /// Whether any plan has a quota.
  var hasQuotas: Bool { quotas.values.contains { $0 > 0 } }

  /// What the recordings of a wedding may take; nil where nothing limits it.
  func quota(_ plan: String?) -> Int? {
    guard let quota = quotas[plan ?? standardPlan] ?? quotas[standardPlan], quota > 0 else {
      return nil
    }
    return quota
  }
}

/// `recording`: what is recorded, and for how long it is kept.
struct RecordingSection: Equatable, Sendable {
  /// Whether every stream is, without being asked.
  var enabled = false
  /// Empty: `recordings` in the data folder.
  var path = ""
  var qualities = ["source"]
  /// Of one file, in bytes.
  var maxSize = 2_048 << 20
  /// Of one stream, in bytes of memory.
  var buffer = 32 << 20
  /// What stays free on the disk, in bytes.
  var reserve = 256 << 20
  /// 0: for ever.
  var keepDays = 0
  /// Of one wedding, in bytes; 0: without a limit.
  var quotaFree = 0
  var quotaPremium = 0
  /// How many are processed at a time.
  var jobs = 1
}

/// `transcode`: how the rungs below the source are made.
struct TranscodeSection: Equatable, Sendable {
  var enabled = false
  /// Of libavcodec.
  var encoder = "libx264"
  var preset = "veryfast"
  var tune = ""
  /// Of each encoder; 0 takes what suits the picture's size.
  var threads = 0
  /// What one worker may use, in bytes of address space.
  var memory = 6 << 30
  /// 0...19; above 0 the node's own threads are served first.
  var niceness = 5
  /// In segments.
  var patience = 2
  var hangTimeout = Duration.seconds(8)
  var onDemand = false
  var idleAfter = Duration.seconds(30)
  /// Within a minute.
  var failures = 5
  var pause = Duration.seconds(60)
}

import Media

/// What a publisher has done so far.
struct PublishCounts: Equatable, Sendable {
  /// The media time sent.
  var time = MediaTime.zero
  var frames: UInt64 = 0
  /// Bytes that the server's socket has taken.
  var sentBytes: UInt64 = 0
  /// Bytes that wait for it.
  var waitingBytes = 0
}

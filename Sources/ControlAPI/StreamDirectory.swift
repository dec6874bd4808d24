/// What the API asks about live streams; the origin, or the cluster's view of it, answers.
package protocol StreamDirectory: Sendable {
  /// What is known about one camera's stream.
  ///
  /// - Returns: nil when nobody has published it lately.
  func stream(wedding: String, camera: String) async -> StreamInfo?
}

/// One stream, as the API shows it.
package struct StreamInfo: Sendable, Equatable {
  /// Whether a publisher is sending now, or may come back within the reconnect window.
  package var isLive: Bool
  /// Seconds since 1970 at which it went live.
  package var started: Int64?
  /// Viewers now, where they are counted.
  package var viewers: Int?

  package init(isLive: Bool, started: Int64? = nil, viewers: Int? = nil) {
    self.isLive = isLive
    self.started = started
    self.viewers = viewers
  }
}

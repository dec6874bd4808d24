/// What the API asks about live streams; the origin, or the cluster's view of it, answers.
package protocol StreamDirectory: Sendable {
  /// What is known about one camera's stream.
  ///
  /// - Parameters:
  ///   - wedding: of the camera.
  ///   - camera: `program` for what the wedding's viewers see, whichever camera that is.
  /// - Returns: nil when nobody has published it lately.
  func stream(wedding: String, camera: String) async -> StreamInfo?
}

/// One stream, as the API shows it.
package struct StreamInfo: Sendable, Equatable {
  package enum State: String, Sendable {
    /// It has a publisher, or waits for it to come back within the reconnect window.
    case live
    /// It is over; what its playlist lists can still be watched for a while.
    case ended
  }

  package var state: State
  package var isLive: Bool { state == .live }
  /// Seconds since 1970 at which it went live.
  package var started: Int64?
  /// Viewers now, where they are counted.
  package var viewers: Int?
  /// What it can be watched in, the source first.
  package var qualities: [StreamQuality]

  /// What the publisher sends, in pixels; the largest there is where that isn't among the
  /// qualities.
  var source: (width: Int, height: Int) {
    let largest = qualities.max { $0.width * $0.height < $1.width * $1.height }
    return (largest?.width ?? 0, largest?.height ?? 0)
  }

  package init(
    state: State, started: Int64? = nil, viewers: Int? = nil, qualities: [StreamQuality] = []
  ) {
    self.state = state
    self.started = started
    self.viewers = viewers
    self.qualities = qualities
  }
}

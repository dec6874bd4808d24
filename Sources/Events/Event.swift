import Telemetry

/// Something that happened to a wedding's stream and that others act on.
package struct Event: Sendable, Equatable {
  /// What happened; the raw values are the names that webhooks use.
  package enum Kind: String, Sendable, CaseIterable {
    case streamStarted = "stream.started"
    /// A publisher has gone; the stream may come back within its reconnect window.
    case streamStopped = "stream.stopped"
    /// The stream is over: its playlists say so.
    case streamEnded = "stream.ended"
    case recordingStarted = "recording.started"
    case recordingCompleted = "recording.completed"
    case recordingFailed = "recording.failed"
    case cameraAdded = "camera.added"
    case cameraRemoved = "camera.removed"
    case cameraSwitched = "camera.switched"
    /// Something doesn't work as it should, though the stream may go on.
    case errorOccurred = "error.occurred"
  }

  package var kind: Kind
  package var wedding: String
  /// The camera it happened to; nil where it is the whole wedding.
  package var camera: String?
  /// When, in milliseconds since 1970.
  package var time: Int64
  /// More about it, by names in snake_case.
  package var data: [String: EventValue]

  /// Makes an event.
  ///
  /// - Parameters:
  ///   - kind: what happened.
  ///   - wedding: whose stream.
  ///   - camera: which stream of it, where it is one.
  ///   - time: milliseconds since 1970; now, unless given.
  ///   - data: more about it.
  package init(
    _ kind: Kind, wedding: String, camera: String? = nil, time: Int64 = LogTime.now.milliseconds,
    data: [String: EventValue] = [:]
  ) {
    self.kind = kind
    self.wedding = wedding
    self.camera = camera
    self.time = time
    self.data = data
  }
}

package import Media

/// What a process asks of one that was before it, and still has streams of their node.
///
/// JSON on the wire; a process that doesn't know an order refuses it.
package enum ElderOrder: Codable, Equatable, Sendable {
  /// Leave a stream to the process that asks, whose publisher shows a token with this digest; a
  /// wedding's program without, and with what cameras there are. As long as it isn't admitted, it
  /// pushes nobody off the air.
  case yield(
    StreamKey, token: [UInt8], priority: Int, isAdmitted: Bool, cameras: LaterCameras? = nil)
  /// Say when a wedding's program may be had, or in so many milliseconds that it may not.
  case watchProgram(wedding: String, cameras: LaterCameras, milliseconds: Int)
  /// Say what cameras of weddings with several have to show, once it is something else than what
  /// was told with a number; these renditions, `wedding/camera/rendition`, are watched.
  case watchCameras(after: Int, watched: [String], milliseconds: Int)
  /// Close connections that an operator has chosen.
  case drop(StreamControl.Selection)
  /// Give the next segments of a wedding's streams another key.
  case rotateKeys(wedding: String)
  /// Record a stream, where it is live there.
  case startRecording(wedding: String, camera: String)
  /// End what is recorded of a stream there.
  case stopRecording(wedding: String, camera: String)
  /// A recording is over, where it is written there.
  case completeRecording(String)
  /// Delete a recording, where something is done with it there.
  case deleteRecording(String)
  /// A wedding's cameras, or what its program is to show, have changed in the records.
  case refreshCameras(wedding: String)

  /// Whether it only asks.
  package var isQuestion: Bool {
    switch self {
    case .watchProgram, .watchCameras: true
    default: false
    }
  }

  /// What it is called in the log.
  package var name: String {
    switch self {
    case .yield: "yield"
    case .watchProgram: "watch program"
    case .watchCameras: "watch cameras"
    case .drop: "drop"
    case .rotateKeys: "rotate keys"
    case .startRecording: "start recording"
    case .stopRecording: "stop recording"
    case .completeRecording: "complete recording"
    case .deleteRecording: "delete recording"
    case .refreshCameras: "refresh cameras"
    }
  }
}

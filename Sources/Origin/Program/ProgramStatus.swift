import ControlAPI
import RTMP

/// What a program does, as the API and the operator are told.
struct ProgramStatus: Sendable {
  /// The camera that it shows, or showed last.
  var active: String?
  /// Any camera of it is live.
  var isLive = false
  var isEnded = false
  /// The later process of this node that has the camera which it is to show; nil where that is
  /// here.
  var heir: Int32?
  /// Whether a later process goes on with it.
  var isHandedOver = false
  /// No camera here will have anything to show any more.
  var isLeft = false
  /// When its broadcast went on the air, in milliseconds since 1970.
  var startedAtMilliseconds: Int64 = 0
  /// How often it has shown another camera.
  var switches = 0
  /// The next segment's number.
  var nextSequence = 0
  /// How far it has come, for whoever goes on with it; nil where that isn't known, or another
  /// process does.
  var place: ProgramPlace?
  /// The target duration of its playlists, in seconds; nil before the first segment.
  var targetDuration: Int?
  /// How many segments its playlist lists.
  var segments = 0
  var qualities: [StreamQuality] = []
}

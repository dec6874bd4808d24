import HLS
import RTMP

/// Where a program begins.
struct ProgramStart: Sendable {
  var state: WindowState
  /// Whether another node, or an earlier program of this one, has brought it so far, as the cluster
  /// says.
  var isInherited = false
  /// Whether nobody could be asked how far another node has brought it.
  var isBlind = false
  /// The camera that it showed then, or was to show in a process before this one that has died.
  var showing: String?
  /// Whose segment the last one was that was announced there; nil where that isn't known.
  var shown: ShownPlace?
  /// Whether a process of this node has left it after that, so that nobody makes it once more.
  var isLeft = false
  /// The camera that it goes back to by the rule; nil where nobody says.
  var chosen: String?
  /// Since when it was on the air there, and when last; nil where that isn't known.
  var broadcast: Broadcast?
  /// The number of the lease under which another node has shown it, as an edge knows; 0 where none
  /// does.
  var epoch: Int64 = 0
  /// What that camera that it is to show has shown last, where it was live here before.
  var first: ProgramSeed?
}

extension ProgramStart {
  /// Where it goes on, as the edge of one of its cameras knows.
  init(_ told: ProgramPlace) {
    self.init(
      state: WindowState(
        nextSequence: Int(clamping: told.number + 1),
        discontinuitySequence: Int(clamping: told.discontinuity), endDate: told.date),
      isInherited: true, showing: told.camera,
      shown: ShownPlace(camera: told.camera, sequence: Int(clamping: told.sequence)),
      epoch: told.epoch)
  }

  /// Whether there are more segments before it than before another state, where that is known.
  func isFurther(than other: WindowState?) -> Bool {
    other.map { state.nextSequence > $0.nextSequence } ?? true
  }
}

extension ProgramPlace {
  /// - Parameters:
  ///   - state: of a program after its last segment.
  ///   - shown: whose that is.
  init(_ state: WindowState, _ shown: ShownPlace) {
    self.init(
      number: Int64(max(0, state.nextSequence - 1)),
      discontinuity: Int64(state.discontinuitySequence), date: max(0, state.endDate),
      camera: shown.camera, sequence: Int64(shown.sequence))
  }
}

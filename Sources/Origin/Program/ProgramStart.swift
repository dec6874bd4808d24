import HLS

/// Where a program begins.
struct ProgramStart: Sendable {
  var state: WindowState
  /// Whether another node, or an earlier program of this one, has brought it so far, as the cluster says.
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
  /// What that camera that it is to show has shown last, where it was live here before.
  var first: ProgramSeed?
}

import HLS

/// Where a program begins.
struct ProgramStart: Sendable {
  var state: WindowState
  /// Whether another node, or an earlier program of this one, has brought it so far, as the cluster says.
  var isInherited = false
  /// Whether nobody could be asked how far another node has brought it.
  var isBlind = false
  /// The camera that it showed then.
  var showing: String?
}

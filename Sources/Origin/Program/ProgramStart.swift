import HLS

/// Where a program begins.
struct ProgramStart: Sendable {
  let state: WindowState
  /// Whether another node, or an earlier program of this one, has brought it so far, as the cluster says.
  var isInherited = false
  /// The camera that it showed then.
  var showing: String?
}

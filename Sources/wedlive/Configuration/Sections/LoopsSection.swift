/// `loops`: the threads of the data path.
struct LoopsSection: Equatable, Sendable {
  /// How many; 0 for one on each core.
  var count = 0
  /// Whether each stays on its core.
  var pinned = false
}

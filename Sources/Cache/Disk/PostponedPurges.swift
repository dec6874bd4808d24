/// What was purged before the folder was this process's, and read: seen to before anything of it is
/// found.
struct PostponedPurges {
  private static let most = 256

  private(set) var purges: [(which: DiskTier.Selection, mark: StaleMark?)] = []
  /// Who waits for them.
  var done: [@Sendable (Bool) -> Void] = []

  var isEmpty: Bool { purges.isEmpty && done.isEmpty }

  /// Adds one; where there are too many, all that is in the folder is doubted.
  mutating func add(_ which: DiskTier.Selection, _ mark: StaleMark?) {
    if purges.count < Self.most { return purges.append((which, mark)) }
    purges = [(.all, StaleMark(since: 0, isDoubted: true))]
  }
}

import EventLoop

/// Which rungs have long been shown by another rendition, though they are to be encoded: what an
/// operator is told of once, and once more when it is over.
struct StandIns {
  /// What is told of a rung.
  enum News: Equatable {
    /// So many segments in a row are another rendition's.
    case began(segments: Int)
    /// It has a segment of its own again, after so many of others.
    case ended(segments: Int)
  }

  private struct Rung {
    /// Segments in a row that were none of its own.
    var count = 0
    var isTold = false
    var toldAt: MonotonicTime?
  }

  /// A worker that starts, or is replaced, owes a few.
  private static let few = 4
  /// A rung is complained of once within this time.
  private static let pause = Duration.seconds(60)

  private var rungs: [Rung]

  init(rungs: Int) { self.rungs = Array(repeating: Rung(), count: rungs) }

  /// Takes a rung's next segment.
  ///
  /// - Parameters:
  ///   - rung: by its place in the job.
  ///   - isOwn: whether its encoder has made it.
  ///   - isWanted: whether it is to be encoded; one that nobody watches is not.
  ///   - now: a clock that never goes back.
  /// - Returns: nil where there is nothing to tell.
  mutating func take(
    _ rung: Int, isOwn: Bool, isWanted: Bool, now: MonotonicTime
  ) -> News? {
    let before = rungs[rung]
    if isOwn || !isWanted {
      rungs[rung].count = 0
      rungs[rung].isTold = false
      return isOwn && before.isTold ? .ended(segments: before.count) : nil
    }
    rungs[rung].count += 1
    guard !before.isTold, before.count >= Self.few,
      before.toldAt.map({ now - $0 >= Self.pause }) ?? true
    else { return nil }
    rungs[rung].isTold = true
    rungs[rung].toldAt = now
    return .began(segments: rungs[rung].count)
  }
}

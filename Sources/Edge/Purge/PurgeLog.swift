import Synchronization

/// What was purged lately: what was asked for before, and comes only now, isn't kept.
///
/// Bounded: of what has fallen out of it, everything counts as purged.
final class PurgeLog: Sendable {
  /// Counts purges.
  typealias Moment = UInt64

  private struct State {
    var moment: Moment = 0
    var batches: [(moment: Moment, purge: EdgePurge)] = []
    /// What began before this may have missed something.
    var floor: Moment = 0
  }

  /// Batches that are remembered; each is what came together.
  private static let most = 64

  private let state = Mutex(State())

  /// Now: of what is asked for from here on, nothing that was purged before is an answer.
  var moment: Moment { state.withLock { $0.moment } }

  func note(_ purge: EdgePurge) {
    state.withLock { state in
      state.moment += 1
      state.batches.append((state.moment, purge))
      guard state.batches.count > Self.most else { return }
      state.floor = state.batches.removeFirst().moment
    }
  }

  /// Everything was purged.
  func noteAll() {
    state.withLock { state in
      state.moment += 1
      state.floor = state.moment
      state.batches = []
    }
  }

  /// Whether an object was purged since it was asked for.
  ///
  /// - Parameters:
  ///   - name: `host/path?query`.
  ///   - tags: asked for only where something was purged at all.
  ///   - since: when it was asked for.
  /// - Returns: true also where that was too long ago to tell.
  func isPurged(_ name: String, tags: () -> [String], since: Moment) -> Bool {
    let (floor, batches) = state.withLock { state in
      // Oldest first, and mostly none is of interest.
      let first = state.batches.lastIndex { $0.moment <= since }.map { $0 + 1 } ?? 0
      return (state.floor, state.batches[first...].map(\.purge))
    }
    if since < floor { return true }
    guard !batches.isEmpty else { return false }
    let tags = tags()
    return batches.contains { $0.isOf(name, tags: tags) }
  }
}

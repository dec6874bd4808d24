import Synchronization

/// Which quality each viewer wants first: remembered while the node runs, for those who asked last.
package final class ViewerChoices: Sendable {
  /// A viewer of a wedding.
  private struct Viewer: Hashable {
    let wedding: String
    let name: String
  }

  /// Two generations: when the younger is full the older goes, so what is in use stays.
  private struct State {
    var young: [Viewer: String] = [:]
    var old: [Viewer: String] = [:]
  }

  private let limit: Int
  private let state = Mutex(State())

  /// Makes an empty memory.
  ///
  /// - Parameter limit: how many viewers are remembered at least; twice as many at most.
  package init(limit: Int = 50_000) { self.limit = limit }

  /// A viewer has chosen.
  ///
  /// - Parameters:
  ///   - quality: nil takes a choice back.
  ///   - viewer: whom the token was given to, or the token where it names nobody.
  ///   - wedding: what is watched.
  package func set(_ quality: String?, for viewer: String, of wedding: String) {
    let viewer = Viewer(wedding: wedding, name: viewer)
    state.withLock { state in
      state.old[viewer] = nil
      state.young[viewer] = quality
      guard state.young.count >= limit else { return }
      state.old = state.young
      state.young = [:]
    }
  }

  /// What a viewer has chosen; nil for one who hasn't.
  package func quality(for viewer: String, of wedding: String) -> String? {
    let viewer = Viewer(wedding: wedding, name: viewer)
    return state.withLock { $0.young[viewer] ?? $0.old[viewer] }
  }
}

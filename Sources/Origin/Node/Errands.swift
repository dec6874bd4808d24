import Synchronization

/// What the node does for its clients besides serving them: to ask, to release, to tell.
///
/// Each errand is a task of its own; a node that stops waits for those that are out.
package final class Errands: Sendable {
  private struct State {
    var count = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Starts an errand.
  func run(_ errand: @escaping @Sendable () async -> Void) {
    state.withLock { $0.count += 1 }
    Task {
      await errand()
      let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
        state.count -= 1
        guard state.count == 0 else { return [] }
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }
  }

  /// Returns when none is out.
  package func settle() async {
    await withCheckedContinuation { continuation in
      let isSettled = state.withLock { state in
        if state.count > 0 { state.waiting.append(continuation) }
        return state.count == 0
      }
      if isSettled { continuation.resume() }
    }
  }
}

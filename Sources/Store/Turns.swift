import Synchronization

/// One change of a thing at a time, in the order in which they were asked for: what is kept of it
/// and what is shown are then the same.
package final class Turns: Sendable {
  private struct State {
    var busy: Set<String> = []
    var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// Waits until nobody else changes a thing; `leave` is called once for each.
  package func enter(_ name: String) async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.busy.insert(name).inserted { return true }
        state.waiting[name, default: []].append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  /// Lets the next one change a thing.
  package func leave(_ name: String) {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard var waiting = state.waiting[name] else {
        state.busy.remove(name)
        return nil
      }
      let next = waiting.removeFirst()
      state.waiting[name] = waiting.isEmpty ? nil : waiting
      return next
    }
    next?.resume()
  }
}

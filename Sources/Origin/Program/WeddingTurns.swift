import Synchronization

/// One change of a wedding at a time, in the order in which they were asked for: what is kept and
/// what is shown are then the same.
final class WeddingTurns: Sendable {
  private struct State {
    var busy: Set<String> = []
    var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
  }

  private let state = Mutex(State())

  /// Waits until nobody else changes a wedding; `leave` is called once for each.
  func enter(_ wedding: String) async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.busy.insert(wedding).inserted { return true }
        state.waiting[wedding, default: []].append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  /// Lets the next one change a wedding.
  func leave(_ wedding: String) {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard var waiting = state.waiting[wedding] else {
        state.busy.remove(wedding)
        return nil
      }
      let next = waiting.removeFirst()
      state.waiting[wedding] = waiting.isEmpty ? nil : waiting
      return next
    }
    next?.resume()
  }
}

import Media
import Synchronization

/// Streams to which a publisher is being admitted: none of them is given up meanwhile.
///
/// Who is being admitted is in no registry yet, and may wait for the backend for seconds, while the
/// publisher before it leaves.
final class Admissions: Sendable {
  private struct State {
    var underway: [StreamKey: Int] = [:]
    /// How many have begun ever, of any stream.
    var begun = 0
  }

  private let state = Mutex(State())

  func begin(_ key: StreamKey) {
    state.withLock { state in
      state.underway[key, default: 0] += 1
      state.begun += 1
    }
  }

  func end(_ key: StreamKey) {
    state.withLock { state in
      guard let count = state.underway[key] else { return }
      state.underway[key] = count > 1 ? count - 1 : nil
    }
  }

  /// A moment at which nobody is being admitted to a stream; nil where somebody is.
  ///
  /// - Returns: the same as long as nobody comes, to any stream.
  func quietMoment(of key: StreamKey) -> Int? {
    state.withLock { $0.underway[key] == nil ? $0.begun : nil }
  }
}

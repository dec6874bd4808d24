import Synchronization

/// What the recordings of one wedding take that can't make room for others: those that are written,
/// processed, or have failed.
///
/// Shared by all who write them, so that what one writes is counted for the others at once.
final class WeddingUsage: Sendable {
  private struct State {
    /// In bytes, by recording.
    var recordings: [String: Int] = [:]
    var total = 0

    mutating func set(_ id: String, _ bytes: Int?) {
      total += (bytes ?? 0) - (recordings[id] ?? 0)
      recordings[id] = bytes
    }
  }

  private let state = Mutex(State())

  /// In bytes.
  var total: Int { state.withLock { $0.total } }

  /// A recording has grown; by less than nothing where something of it was cut off.
  func grow(_ id: String, by bytes: Int) {
    state.withLock { $0.set(id, ($0.recordings[id] ?? 0) + bytes) }
  }

  func set(_ id: String, _ bytes: Int) { state.withLock { $0.set(id, bytes) } }

  func remove(_ id: String) { state.withLock { $0.set(id, nil) } }

  /// Counts some recordings as they are said to be, and forgets all others but a few.
  ///
  /// - Parameters:
  ///   - others: by name, with their bytes.
  ///   - known: those that stay as they are.
  func replace(_ others: [(id: String, bytes: Int)], besides known: Set<String>) {
    state.withLock { state in
      for id in Array(state.recordings.keys) where !known.contains(id) { state.set(id, nil) }
      for (id, bytes) in others { state.set(id, bytes) }
    }
  }
}

/// What one recording may take of what its wedding has.
struct Quota: Sendable {
  let usage: WeddingUsage
  /// Its name.
  let recording: String
  /// Of all recordings of the wedding together; nil for one that is counted and not limited.
  let limitBytes: Int?

  var isUsedUp: Bool { limitBytes.map { usage.total >= $0 } ?? false }
}

import Media
import Store

// Streams that processes before this one have left.
extension StreamLedger {
  /// The streams that are not over as far as the store knows, however long ago they were on the
  /// air.
  ///
  /// - Returns: none where the store can't say.
  func unended() async -> [StreamKey] {
    let names = try? await waiting(atMost: patience) { [store] () async throws(StoreError) in
      try await store.recent(since: 0, atMost: Self.mostRecent)
    }
    return (names ?? []).compactMap { StreamKey(wedding: $0.wedding, camera: $0.camera) }
  }

  /// Ends a stream that nobody has come back to.
  ///
  /// - Parameters:
  ///   - key: of it.
  ///   - tell: tells its end; where that is cut short the next process tells it again.
  /// - Returns: false where somebody has it, or the store doesn't answer: it may have to be ended
  ///   later.
  func endLeft(_ key: StreamKey, _ tell: () async -> Void) async -> Bool {
    guard !isRunning(key) else { return false }
    let name = name(key)
    let known: StreamNumbers?
    do throws(StoreError) {
      known = try await waiting(atMost: patience) { [store] () async throws(StoreError) in
        try await store.numbers(name)
      }
    } catch {
      return false
    }
    // One that was never on the air has nothing to end.
    guard var numbers = known, !numbers.isOver, numbers.began != nil else { return true }
    guard !isRunning(key) else { return false }
    await tell()
    numbers.isOver = true
    do throws(StoreError) {
      try await waiting(atMost: patience) { [store, numbers] () async throws(StoreError) in
        try await store.end(numbers, now: numbers.updated)
      }
    } catch {
      // Where it isn't somebody's who has come meanwhile.
      if case .fenced = error { return true }
      warn(key, error)
    }
    return true
  }
}

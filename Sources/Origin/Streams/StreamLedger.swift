package import HLS
package import Logging
package import Media
package import Store

/// Keeps in the store where each stream's numbers go on, a block ahead of those in use.
///
/// Streams hand their state over and go on; a store that is slow or full costs them nothing.
package actor StreamLedger {
  private struct Run {
    var numbers: StreamNumbers
    var isExtending = false
  }

  private let store: any StreamNumberStore
  private let logger: Logger
  private var runs: [StreamKey: Run] = [:]

  package init(store: any StreamNumberStore, logger: Logger) {
    self.store = store
    self.logger = logger
  }

  /// Starts a run of a stream.
  ///
  /// - Returns: where its numbers go on; at 0 where the store can't say, which is better than no
  ///   stream: names never repeat, so only players that watched before notice.
  package func begin(_ key: StreamKey) async -> WindowState {
    do throws(StoreError) {
      let numbers = try await store.begin(
        StreamNumbers.Name(wedding: key.wedding, camera: key.camera),
        now: StreamOutlet.wallClockMilliseconds)
      runs[key] = Run(numbers: numbers)
      return WindowState(
        nextSequence: Int(clamping: numbers.next.sequence),
        discontinuitySequence: Int(clamping: numbers.next.discontinuity),
        endTime: MediaTime(ticks: numbers.lastPTS ?? 0))
    } catch {
      logger.error(
        "stream numbers unknown", metadata: ["stream": "\(key)", "error": "\(error)"])
      return WindowState()
    }
  }

  /// Notes how far a stream has come; reserves the next block where this one is half used.
  package func note(_ key: StreamKey, _ state: WindowState) async {
    guard var run = runs[key] else { return }
    // Notes may overtake each other on their way here.
    run.numbers.next.sequence = max(
      run.numbers.next.sequence, UInt64(max(0, state.nextSequence)))
    run.numbers.next.discontinuity = max(
      run.numbers.next.discontinuity, UInt64(max(0, state.discontinuitySequence)))
    run.numbers.lastPTS = state.endTime.ticks
    let left = Int64(clamping: run.numbers.limits.sequence) - Int64(state.nextSequence)
    let isLow =
      left <= Int64(StreamNumbers.blockSegments / 2)
      || run.numbers.limits.discontinuity
        < run.numbers.next.discontinuity + StreamNumbers.blockDiscontinuities / 2
    let asks = isLow && !run.isExtending
    run.isExtending = run.isExtending || asks
    runs[key] = run
    guard asks else { return }
    do throws(StoreError) {
      let limits = try await store.extend(
        run.numbers, now: StreamOutlet.wallClockMilliseconds)
      runs[key]?.numbers.limits = limits
    } catch {
      logger.warning(
        "stream numbers not kept", metadata: ["stream": "\(key)", "error": "\(error)"])
    }
    runs[key]?.isExtending = false
  }

  /// Ends every run in order, so that the next ones go on without a gap: the node stops.
  package func endAll() async {
    for key in Array(runs.keys) {
      await end(key)
    }
  }

  /// Ends one stream's run.
  package func end(_ key: StreamKey) async {
    guard let run = runs.removeValue(forKey: key) else { return }
    do throws(StoreError) {
      try await store.end(run.numbers, now: StreamOutlet.wallClockMilliseconds)
    } catch {
      logger.warning(
        "stream numbers not kept", metadata: ["stream": "\(key)", "error": "\(error)"])
    }
  }
}

import EventLoop
import Synchronization
import Telemetry

/// The counts of one stream on all loops.
final class CountedStream: Sendable {
  /// For how long rates stay as they are.
  private static let step = Duration.seconds(2)

  private struct Entry {
    /// By whom adds to them.
    var tallies: [Int: Tally] = [:]
    var rate: AverageRate

    var bytes: UInt64 { tallies.values.reduce(0) { $0 &+ $1.value } }
  }

  private struct State {
    var entries: [SentBytes.Line: Entry] = [:]
    var sampledAt: MonotonicTime
  }

  private let state: Mutex<State>

  init(at now: MonotonicTime) { state = Mutex(State(sampledAt: now)) }

  /// The count that one loop adds to.
  ///
  /// - Parameters:
  ///   - line: what is counted.
  ///   - place: of whoever counts.
  /// - Returns: the same count for the same place.
  func tally(_ line: SentBytes.Line, at place: Int) -> Tally {
    state.withLock { state in
      var entry =
        state.entries[line]
        ?? Entry(rate: AverageRate(at: state.sampledAt, step: Self.step))
      if let tally = entry.tallies[place] { return tally }
      let tally = Tally()
      entry.tallies[place] = tally
      state.entries[line] = entry
      return tally
    }
  }

  /// Takes the rates anew where that is due.
  func sample(at now: MonotonicTime) {
    state.withLock { Self.sample(&$0, at: now) }
  }

  private static func sample(_ state: inout State, at now: MonotonicTime) {
    guard now - state.sampledAt >= step else { return }
    state.sampledAt = now
    for index in state.entries.values.indices {
      let bytes = state.entries.values[index].bytes
      state.entries.values[index].rate.note(bytes, at: now)
    }
  }

  /// All that was sent, in the order of the lines; nothing of what nobody was sent.
  func sent(at now: MonotonicTime) -> [SentBytes] {
    state.withLock { state in
      Self.sample(&state, at: now)
      return state.entries.compactMap { line, entry in
        let bytes = entry.bytes
        guard bytes > 0 else { return nil }
        return SentBytes(line, bytes: bytes, bitsPerSecond: entry.rate.bitsPerSecond)
      }.sorted { $0.line < $1.line }
    }
  }
}

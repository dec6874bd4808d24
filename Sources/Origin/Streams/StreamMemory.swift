import Synchronization
package import Telemetry

/// The memory that the segments of all streams of a node share, and what is done as it runs out.
///
/// Streams live on several loops; each says what it holds with a relaxed addition and asks for
/// itself alone, so nobody waits and nobody has to be told. In the order in which it hurts: from
/// three quarters of the limit on no new stream is taken; from seven eighths on a stream that has
/// more than its share lets go of its oldest segments with each new one; beyond the limit one that
/// is as short as it may be, and has more than its share still, is ended.
package final class StreamMemory: Sendable {
  /// After an end it is first seen what others let go of, as long as the limit is hardly passed.
  private static let endings = 10_000 as Int64

  package let limitBytes: Int
  private let held: Gauge
  private let streams = Atomic<Int>(0)
  private let nextEnd = Atomic<Int64>(.min)
  private let refused: Counter
  private let shortened: Counter
  private let ended: Counter

  /// Makes the account of a node.
  ///
  /// - Parameters:
  ///   - limitBytes: what all streams may hold together.
  ///   - metrics: where it shows.
  package init(limitBytes: Int = .max, metrics: MetricRegistry = MetricRegistry()) {
    self.limitBytes = limitBytes
    held = metrics.gauge(
      "wedlive_stream_memory_bytes", help: "What the segments of all live windows take.")
    metrics.gauge(
      "wedlive_stream_memory_limit_bytes", help: "What they may take: streams.memory."
    ) { Double(limitBytes) }
    func counter(_ action: String) -> Counter {
      metrics.counter(
        "wedlive_stream_memory_actions_total",
        help: "What was done for want of stream memory: publishers refused, segments let go of "
          + "early, publishers ended.", labels: ["action": action])
    }
    refused = counter("refused")
    shortened = counter("shortened")
    ended = counter("ended")
  }

  /// What all streams hold together.
  package var heldBytes: Int { held.value }

  /// Whether there is room for one stream more.
  var hasRoom: Bool { heldBytes < limitBytes / 4 * 3 }

  /// Whether one more may begin; a refusal is counted.
  func admit() -> Bool {
    if hasRoom { return true }
    refused.increment()
    return false
  }

  /// A stream holds another amount than before.
  func changed(from old: Int, to new: Int) {
    held.add(new - old)
    if (old == 0) != (new == 0) { streams.wrappingAdd(new == 0 ? -1 : 1, ordering: .relaxed) }
  }

  /// How many bytes a stream should let go of.
  ///
  /// - Parameter own: what it holds.
  /// - Returns: 0 where there is enough for all, or the stream has no more than its share.
  func surplus(of own: Int) -> Int {
    let mark = limitBytes / 8 * 7
    return max(0, min(heldBytes - mark, own - share(of: mark)))
  }

  /// Counts segments that were let go of before their time.
  func noteShortened(_ count: Int) { shortened.add(count) }

  /// Whether a stream that can't be shorter must end.
  ///
  /// - Parameters:
  ///   - own: what it holds.
  ///   - now: milliseconds of a clock that never goes back.
  /// - Returns: true for one stream in ten seconds, and for each that asks an eighth beyond the
  ///   limit; it is counted. What the stream then lets go of is no longer held when the next one
  ///   asks.
  func mustEnd(_ own: Int, now: Int64) -> Bool {
    guard heldBytes > limitBytes, own > share(of: limitBytes) else { return false }
    if isFarBeyond {
      nextEnd.store(now + Self.endings, ordering: .relaxed)
      ended.increment()
      return true
    }
    let earliest = nextEnd.load(ordering: .relaxed)
    guard now >= earliest,
      nextEnd.compareExchange(
        expected: earliest, desired: now + Self.endings, ordering: .relaxed
      ).exchanged
    else { return false }
    ended.increment()
    return true
  }

  /// By how much all streams hold more than they may together; 0 where they don't.
  var excess: Int { max(0, heldBytes - limitBytes) }

  private var isFarBeyond: Bool { heldBytes - limitBytes > limitBytes / 8 }

  private func share(of bytes: Int) -> Int { bytes / max(1, streams.load(ordering: .relaxed)) }
}

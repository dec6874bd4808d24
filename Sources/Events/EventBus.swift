import Synchronization
package import Telemetry

/// Tells whoever wants to know what happens to streams; of one process.
///
/// Publishing never waits: a subscriber that is behind by more than its limit loses the oldest
/// events, which a metric counts.
package final class EventBus: Sendable {
  private struct Subscribers {
    var next = 0
    var all: [Int: AsyncStream<Event>.Continuation] = [:]
  }

  private let subscribers = Mutex(Subscribers())
  private let counts: [Event.Kind: Counter]
  private let dropped: Counter

  /// Makes a bus that nobody listens to yet.
  ///
  /// - Parameter registry: gets the counts of events, by kind, and of those that were lost.
  package init(metrics registry: MetricRegistry = MetricRegistry()) {
    counts = Dictionary(
      uniqueKeysWithValues: Event.Kind.allCases.map { kind in
        let counter = registry.counter(
          "wedlive_events_total", help: "What happened to streams, by kind.",
          labels: ["event": kind.rawValue])
        return (kind, counter)
      })
    dropped = registry.counter(
      "wedlive_events_dropped_total",
      help: "Events that a subscriber has lost because it was too far behind.")
  }

  /// How many listen.
  var subscriberCount: Int { subscribers.withLock { $0.all.count } }

  /// Tells all who have subscribed.
  package func publish(_ event: Event) {
    counts[event.kind]?.increment()
    // Within the lock, so that all have the same order; none of it waits.
    subscribers.withLock { subscribers in
      for continuation in subscribers.all.values {
        if case .dropped = continuation.yield(event) { dropped.increment() }
      }
    }
  }

  /// Begins to listen: what is published from now on.
  ///
  /// - Parameter limit: how many events may wait; the oldest go first.
  /// - Returns: the events in their order; it ends when whoever reads it does.
  package func subscribe(limit: Int = 1_024) -> AsyncStream<Event> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Event.self, bufferingPolicy: .bufferingNewest(limit))
    let number = subscribers.withLock { subscribers in
      subscribers.next += 1
      subscribers.all[subscribers.next] = continuation
      return subscribers.next
    }
    continuation.onTermination = { [weak self] _ in
      self?.subscribers.withLock { $0.all[number] = nil }
    }
    return stream
  }
}

package import Logging
package import Store
import Synchronization
package import Telemetry

/// Has all that keeps what viewers get forget something: the cluster's edges first, so that a CDN
/// which asks them anew gets nothing that is old, and then the CDN.
///
/// What can't be told at once, as Redis is away, waits in the node's file and is told when it is
/// back: at least once, and in its order.
package final class Purger: Sendable {
  /// Tells the cluster's edges; telling them twice does no harm.
  package typealias Edges = @Sendable ([CDNPurge]) async throws -> Void

  /// The CDN's queue; nil where no CDN is configured.
  package let queue: PurgeQueue?
  private let edges: Edges?
  private let outbox: SQLitePurges?
  private let limit: Int
  /// How many wait in the outbox (nil before it was looked at), and how often some were added.
  private let waiting = Mutex<(count: Int?, additions: Int)>((nil, 0))
  private let metrics: MetricRegistry
  private let gauge: Gauge
  private let logger: Logger
  private static let pause = Duration.seconds(1)
  private static let most = 500

  /// - Parameters:
  ///   - queue: of the CDN; nil where there is none.
  ///   - edges: tells the cluster's edges; nil where there is no cluster.
  ///   - outbox: the node's file; nil where what can't be told is refused.
  ///   - limit: how many may wait there.
  ///   - registry: where purges are counted.
  ///   - logger: is told what waits, and why.
  package init(
    _ queue: PurgeQueue?, edges: Edges?, outbox: SQLitePurges?, limit: Int,
    metrics registry: MetricRegistry, logger: Logger
  ) {
    self.queue = queue
    self.edges = edges
    self.outbox = outbox
    self.limit = limit
    metrics = registry
    gauge = registry.gauge(
      "wedlive_purges_waiting", help: "Purges that wait on this node until Redis is back.")
    self.logger = logger
  }

  /// Has something forgotten.
  ///
  /// - Throws: `.refused` where one of them isn't valid; `.full`; `.queueUnavailable` where they
  ///   could neither be told nor kept. Asking again does no harm.
  package func purge(_ purges: [CDNPurge]) async throws(CDNError) {
    if purges.isEmpty { return }
    do throws(CDNError) {
      try await take(purges)
    } catch {
      count(purges, "refused")
      throw error
    }
  }

  private func take(_ purges: [CDNPurge]) async throws(CDNError) {
    if let wrong = purges.first(where: { !$0.isValid }) {
      throw CDNError(.refused, "not a purge: \(wrong)")
    }
    var reason = CDNError(.queueUnavailable, "others wait before it")
    // Behind what waits already.
    if outbox == nil || waiting.withLock({ $0.count == 0 }) {
      do throws(CDNError) {
        try await tell(purges)
        return count(purges, "told")
      } catch {
        guard error.code == .queueUnavailable else { throw error }
        reason = error
      }
    }
    guard let outbox else { throw reason }
    let now = Int64(MemoryPurgeStore.now)
    let isKept: Bool
    waiting.withLock { $0.additions += 1 }
    do throws(StoreError) {
      isKept = try await outbox.add(purges.map { $0.record(queued: now) }, bound: limit)
    } catch {
      throw CDNError(.queueUnavailable, "\(reason.message); nor can it be kept: \(error)")
    }
    guard isKept else {
      throw CDNError(.full, "\(limit) purges wait already: \(reason.message)")
    }
    waiting.withLock { $0.count = ($0.count ?? 0) + purges.count }
    count(purges, "kept")
    logger.warning(
      "a purge waits", metadata: ["purge": "\(purges[0])", "reason": "\(reason.message)"])
  }

  private func tell(_ purges: [CDNPurge]) async throws(CDNError) {
    if let edges {
      do {
        try await edges(purges)
      } catch {
        throw CDNError(.queueUnavailable, "\(error)")
      }
    }
    try await queue?.publish(purges)
  }

  private func count(_ purges: [CDNPurge], _ result: String) {
    for purge in purges {
      metrics.counter(
        "wedlive_purges_total",
        help: "What was to be forgotten by caches, by reason and what became of it here.",
        labels: ["reason": purge.reason, "result": result]
      ).increment()
    }
  }

  /// Tells what waits until the task is cancelled; called once.
  package func run() async {
    guard let outbox else { return }
    var words = ""
    while !Task.isCancelled {
      do {
        try await empty(outbox)
        words = ""
      } catch {
        if "\(error)" != words {
          logger.warning("purges wait", metadata: ["reason": "\(error)"])
        }
        words = "\(error)"
      }
      try? await Task.sleep(for: Self.pause)
    }
  }

  private func empty(_ outbox: SQLitePurges) async throws {
    if waiting.withLock({ $0.count == 0 }) { return }
    while true {
      let additions = waiting.withLock(\.additions)
      let records = try await outbox.waiting(1...Int64.max, atMost: Self.most)
      let known = try await outbox.counts().waiting
      // What is added meanwhile may be in it or not: the next look will tell.
      waiting.withLock { if $0.additions == additions { $0.count = known } }
      gauge.set(known)
      if known == 0 || records.isEmpty { return }
      let purges = records.compactMap { CDNPurge($0) }
      do throws(CDNError) {
        try await tell(purges)
        count(purges, "told")
      } catch {
        guard error.code != .refused else {
          // Nobody would ever take them.
          logger.error("purges are dropped", metadata: ["error": "\(error)"])
          count(purges, "refused")
          try await outbox.remove(records.map(\.id), areSent: false)
          continue
        }
        throw error
      }
      try await outbox.remove(records.map(\.id), areSent: false)
    }
  }

  /// How many wait on this node until Redis is back.
  package var waitingHere: Int { waiting.withLock { $0.count ?? 0 } }
}

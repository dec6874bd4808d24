import Cache
package import Telemetry

/// What an edge's cache did, as metrics.
package struct EdgeMetrics: Sendable {
  /// One loop's counts; no loop takes the line of another.
  struct Cells: Sendable {
    fileprivate let hit, updating, stale, revalidated, expired, miss, bypass, failed: Counter.Cell

    /// Counts an answer.
    func count(_ outcome: CacheOutcome) {
      switch outcome {
      case .hit: hit.increment()
      case .updating: updating.increment()
      case .stale: stale.increment()
      case .revalidated: revalidated.increment()
      case .expired: expired.increment()
      case .miss(_, let collapsed): (collapsed ? hit : miss).increment()
      case .bypass, .method: bypass.increment()
      }
    }

    /// Counts a request to which no upstream gave an answer.
    func countFailure() { failed.increment() }
  }

  private let counters: [Counter]

  /// Registers the metrics of a node's cache.
  package init(_ registry: MetricRegistry, of proxy: EdgeProxy) {
    counters = Self.words.map { word in
      registry.counter(
        "wedlive_edge_requests_total",
        help: "Requests by what the cache did, as X-Cache-Status says it.",
        labels: ["cache": word])
    }
    Self.register(proxy, in: registry)
  }

  private static let words = [
    "HIT", "UPDATING", "STALE", "REVALIDATED", "EXPIRED", "MISS", "BYPASS", "FAILED",
  ]

  func cells() -> Cells {
    let cells = counters.map { $0.cell() }
    return Cells(
      hit: cells[0], updating: cells[1], stale: cells[2], revalidated: cells[3],
      expired: cells[4], miss: cells[5], bypass: cells[6], failed: cells[7])
  }

  private static func register(_ proxy: EdgeProxy, in registry: MetricRegistry) {
    typealias Count = @Sendable () -> Int
    let memory: [(String, String, Count)] = [
      ("objects", "Objects that the cache has", { proxy.store.usage.count }),
      ("bytes", "Bytes that they take", { proxy.store.usage.bytes }),
    ]
    for (name, help, read) in memory {
      registry.gauge(
        "wedlive_edge_memory_\(name)", help: "\(help) in memory.", reading: { Double(read()) })
    }
    registry.counter(
      "wedlive_edge_memory_evictions_total", help: "Objects that had to go for others.",
      reading: { Double(proxy.store.usage.evictions) })
    registry.counter(
      "wedlive_edge_resumed_total",
      help: "Responses that broke off, and whose rest was then had from the same upstream.",
      reading: { Double(proxy.resumeCount) })
    registry.gauge(
      "wedlive_edge_filling_bytes",
      help: "Bytes of bodies that are on their way in, or still held by who reads them.",
      reading: { Double(proxy.fillMemory.bytes) })
    registry.counter(
      "wedlive_edge_filling_refused_total",
      help: "Responses that were not kept, as those took all they may.",
      reading: { Double(proxy.fillMemory.refused) })
    registry.counter(
      "wedlive_edge_abandoned_total",
      help: "Responses that were ended, as nobody read them and they came too slowly.",
      reading: { Double(proxy.abandonedCount) })
    registry.gauge(
      "wedlive_edge_readers", help: "Clients that read what is on its way from an upstream.",
      reading: { Double(proxy.readers) })
    registry.collect(
      "wedlive_edge_disk_objects", help: "Objects on disk.", kind: .gauge
    ) { proxy.store.diskUsage.map { [.init(.none, Double($0.count))] } ?? [] }
    registry.collect(
      "wedlive_edge_disk_bytes", help: "Bytes that they take on disk.", kind: .gauge
    ) { proxy.store.diskUsage.map { [.init(.none, Double($0.bytes))] } ?? [] }
    registry.collect(
      "wedlive_edge_disk_waiting_bytes", help: "Bytes that wait to be written there.", kind: .gauge
    ) { proxy.store.diskUsage.map { [.init(.none, Double($0.waitingBytes))] } ?? [] }
    registry.collect(
      "wedlive_edge_disk_events_total", help: "What the disk tier did.", kind: .counter
    ) {
      guard let usage = proxy.store.diskUsage else { return [] }
      return [
        ("written", usage.written), ("evicted", usage.evictions), ("skipped", usage.skipped),
        ("damaged", usage.damaged), ("failed", usage.failures),
      ].map { .init(["event": $0.0], Double($0.1)) }
    }
    registry.collect(
      "wedlive_edge_slices_total", help: "Slices of large objects, by where they were had.",
      kind: .counter
    ) {
      let counts = proxy.slices.counts
      return [
        ("memory", counts.memory), ("disk", counts.disk), ("joined", counts.joined),
        ("upstream", counts.upstream),
      ].map { .init(["from": $0.0], Double($0.1)) }
    }
    registry.counter(
      "wedlive_edge_slices_changed_total",
      help: "Objects that turned out to be another version than what was kept of them.",
      reading: { Double(proxy.slices.counts.changed) })
    registry.collect(
      "wedlive_edge_purges_total", help: "Keys, prefixes and tags that were purged.",
      kind: .counter
    ) {
      let counts = proxy.purgeCounts
      return [
        .init(["mode": "hard"], Double(counts.hard)), .init(["mode": "soft"], Double(counts.soft)),
      ]
    }
    registry.counter(
      "wedlive_edge_purged_objects_total", help: "Objects in memory that they were about.",
      reading: { Double(proxy.purgeCounts.objects) })
    registry.counter(
      "wedlive_edge_doubts_total",
      help: "Times that purges may have been missed, and all that is kept was to be confirmed.",
      reading: { Double(proxy.purgeCounts.doubts) })
    registry.collect(
      "wedlive_edge_upstream_requests_total", help: "Requests to an upstream.", kind: .counter
    ) {
      proxy.upstreams.members.map {
        .init(["upstream": $0.upstream.authority], Double($0.requests))
      }
    }
    registry.collect(
      "wedlive_edge_upstream_failures_total", help: "Those that it didn't answer.", kind: .counter
    ) {
      proxy.upstreams.members.map {
        .init(["upstream": $0.upstream.authority], Double($0.failures))
      }
    }
  }
}

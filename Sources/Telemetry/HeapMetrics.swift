import CLinux

/// What the C allocator holds: tells a leak (`used` grows) from what it keeps for later (`free`).
enum HeapMetrics {
  /// Adds `wedlive_heap_bytes`, a series for each part, read at scrape.
  static func register(in registry: MetricRegistry) {
    for (part, bytes) in parts {
      registry.gauge(
        "wedlive_heap_bytes",
        help: """
          The allocator's memory: handed out, free but kept, in mappings of their own. Where free is \
          more than 64 MiB and than half of used, its pages go back to the machine once a minute.
          """,
        labels: ["part": part]
      ) { Double(bytes(mallinfo2())) }
    }
  }

  /// `mallinfo2(3)` sums up all arenas.
  private static let parts: [(String, @Sendable (mallinfo2) -> Int)] = [
    ("used", { Int($0.uordblks) }), ("free", { Int($0.fordblks) }), ("mapped", { Int($0.hblkhd) }),
  ]
}

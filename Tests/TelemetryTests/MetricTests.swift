import Synchronization
import Telemetry
import Testing

@Suite struct `Metrics` {
  func text(_ registry: MetricRegistry) -> String {
    String(decoding: registry.text(), as: UTF8.self)
  }

  @Test func `families and series are printed in order, each with help and type`() {
    let registry = MetricRegistry()
    registry.counter("wedlive_b_total", help: "B.", labels: ["reason": "z"]).add(2)
    registry.counter("wedlive_b_total", help: "B.", labels: ["reason": "a"]).increment()
    registry.gauge("wedlive_a", help: "A.").set(-3)
    #expect(
      text(registry) == """
        # HELP wedlive_a A.
        # TYPE wedlive_a gauge
        wedlive_a -3
        # HELP wedlive_b_total B.
        # TYPE wedlive_b_total counter
        wedlive_b_total{reason="a"} 1
        wedlive_b_total{reason="z"} 2

        """)
  }

  @Test func `label values and help are escaped`() {
    let registry = MetricRegistry()
    registry.gauge("wedlive_a", help: "one\\two\nthree", labels: ["x": "a\\b\"c\nd"]).set(1)
    #expect(text(registry).contains(#"# HELP wedlive_a one\\two\nthree"# + "\n"))
    #expect(text(registry).contains(#"wedlive_a{x="a\\b\"c\nd"} 1"# + "\n"))
  }

  @Test func `the same name and labels give the same counter`() {
    let registry = MetricRegistry()
    let one = registry.counter("wedlive_a_total", help: "A.", labels: ["x": "1"])
    let same = registry.counter("wedlive_a_total", help: "A.", labels: ["x": "1"])
    let other = registry.counter("wedlive_a_total", help: "A.", labels: ["x": "2"])
    #expect(one === same)
    #expect(one !== other)
  }

  @Test func `a counter is the sum of itself and its cells under contention`() async {
    let counter = Counter()
    await withTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          let cell = counter.cell()
          for _ in 0..<10_000 {
            cell.increment()
            counter.increment()
          }
        }
      }
    }
    #expect(counter.value == 80_000)
  }

  @Test func `negative amounts never make a counter go down`() {
    let counter = Counter()
    counter.add(5)
    counter.add(-4)
    counter.cell().add(-1)
    #expect(counter.value == 5)
  }

  @Test func `a histogram counts cumulatively, bounds inclusive`() {
    let registry = MetricRegistry()
    let histogram = registry.histogram(
      "wedlive_wait_seconds", help: "Wait.", labels: ["k": "v"], bounds: [1, 0.1])
    for value in [0.05, 0.1, 0.5, 7, .nan] { histogram.observe(value) }
    histogram.observe(Duration.milliseconds(350))
    #expect(
      text(registry) == """
        # HELP wedlive_wait_seconds Wait.
        # TYPE wedlive_wait_seconds histogram
        wedlive_wait_seconds_bucket{k="v",le="0.1"} 2
        wedlive_wait_seconds_bucket{k="v",le="1"} 4
        wedlive_wait_seconds_bucket{k="v",le="+Inf"} 5
        wedlive_wait_seconds_sum{k="v"} 8
        wedlive_wait_seconds_count{k="v"} 5

        """)
  }

  @Test func `closures are read at each scrape, outside the lock`() {
    let registry = MetricRegistry()
    let numbers = SharedNumber()
    registry.gauge("nginx_rtmp_streams", help: "Streams.") { [unowned registry] in
      _ = registry.counter("wedlive_scrapes_total", help: "Scrapes.")
      return Double(numbers.next())
    }
    registry.collect("wedlive_stream_bytes_total", help: "Per stream.", kind: .counter) {
      [.init(["stream": "b"], 2), .init(["stream": "a"], 1.5)]
    }
    #expect(text(registry).contains("nginx_rtmp_streams 1\n"))
    let second = text(registry)
    #expect(second.contains("nginx_rtmp_streams 2\n"))
    #expect(
      second.contains(
        """
        wedlive_stream_bytes_total{stream="a"} 1.5
        wedlive_stream_bytes_total{stream="b"} 2

        """))
  }

  @Test func `a removed series is gone from the text`() {
    let registry = MetricRegistry()
    registry.gauge("wedlive_a", help: "A.", labels: ["s": "1"]).set(1)
    registry.remove("wedlive_a", labels: ["s": "1"])
    #expect(text(registry).isEmpty)
  }

  @Test func `the process reports its memory, descriptors, time and start`() throws {
    let registry = MetricRegistry()
    ProcessMetrics.register(in: registry, version: "1.2.3")
    let text = text(registry)
    func value(_ name: String) throws -> Double {
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") })
      return try #require(Double(line.dropFirst(name.count + 1)))
    }
    #expect(try value("process_resident_memory_bytes") > 1_000_000)
    #expect(try value("process_open_fds") >= 3)
    #expect(try value("process_cpu_seconds_total") > 0)
    let now = Double(LogTime.now.milliseconds) / 1000
    let started = try value("process_start_time_seconds")
    #expect(started <= now + 1 && started > now - 86_400)
    #expect(text.contains(#"wedlive_build_info{version="1.2.3"} 1"#))
  }
}

private final class SharedNumber: Sendable {
  private let number = Atomic(0)

  func next() -> Int { number.wrappingAdd(1, ordering: .relaxed).newValue }
}

import Synchronization

/// All metrics of a process, printed in Prometheus' text format.
///
/// Asking for a metric makes it or returns the one that is there, so two rooms may name the same
/// one. Names and kinds are fixed in code: a clash is a mistake of ours and stops the process at
/// start, where a test sees it.
package final class MetricRegistry: Sendable {
  /// The `Content-Type` of `text()`.
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// What a family's values mean.
  package enum Kind: String, Sendable { case counter, gauge, histogram }

  /// One value that a collector reports at scrape.
  package struct Sample: Sendable {
    package let labels: Labels
    package let value: Double

    package init(_ labels: Labels, _ value: Double) {
      self.labels = labels
      self.value = value
    }
  }

  package typealias Reading = @Sendable () -> Double
  package typealias Collector = @Sendable () -> [Sample]

  enum Source: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
    case reading(Reading)
  }

  struct Family: Sendable {
    let name: String
    let help: String
    let kind: Kind
    var series: [Labels: Source] = [:]
    var collectors: [Collector] = []
  }

  private let families = Mutex<[String: Family]>([:])

  package init() {}

  /// The counter of this name and these labels.
  ///
  /// - Parameters:
  ///   - name: ends in `_total`.
  ///   - help: one line for a person; the first one given is kept.
  ///   - labels: of this series.
  /// - Returns: the same object each time.
  package func counter(_ name: String, help: String, labels: Labels = .none) -> Counter {
    let source = add(name, help, .counter, labels) { .counter(Counter()) }
    guard case .counter(let counter) = source else { clash(name) }
    return counter
  }

  /// The gauge of this name and these labels.
  package func gauge(_ name: String, help: String, labels: Labels = .none) -> Gauge {
    let source = add(name, help, .gauge, labels) { .gauge(Gauge()) }
    guard case .gauge(let gauge) = source else { clash(name) }
    return gauge
  }

  /// The histogram of this name and these labels.
  ///
  /// - Parameters:
  ///   - name: ends in its unit, `_seconds` or `_bytes`.
  ///   - help: one line for a person.
  ///   - labels: of this series.
  ///   - bounds: the buckets' upper bounds; those of the first call are kept.
  /// - Returns: the same object each time.
  package func histogram(
    _ name: String, help: String, labels: Labels = .none, bounds: [Double] = Histogram.seconds
  ) -> Histogram {
    let source = add(name, help, .histogram, labels) { .histogram(Histogram(bounds: bounds)) }
    guard case .histogram(let histogram) = source else { clash(name) }
    return histogram
  }

  /// A gauge that is read when scraped; the last reading given for a series wins.
  ///
  /// - Parameters:
  ///   - name: of the family.
  ///   - help: one line for a person.
  ///   - labels: of this series.
  ///   - reading: called on the scraping thread; must be quick and must not scrape.
  package func gauge(
    _ name: String, help: String, labels: Labels = .none, reading: @escaping Reading
  ) {
    set(name, help, .gauge, labels, reading)
  }

  /// A counter that is read when scraped; what it returns must never go down.
  package func counter(
    _ name: String, help: String, labels: Labels = .none, reading: @escaping Reading
  ) {
    set(name, help, .counter, labels, reading)
  }

  /// A family whose series come and go, reported by a closure at scrape; for values per stream.
  package func collect(
    _ name: String, help: String, kind: Kind, _ collector: @escaping Collector
  ) {
    precondition(kind != .histogram, "a collector reports single values: \(name)")
    families.withLock { $0[name, kind, help].collectors.append(collector) }
  }

  /// Forgets one series; whoever holds its counter or gauge may go on using it, unseen.
  package func remove(_ name: String, labels: Labels) {
    families.withLock { families in _ = families[name]?.series.removeValue(forKey: labels) }
  }

  /// Everything, families by name and series by labels, so two scrapes differ only in values.
  ///
  /// - Complexity: O(n log n) in the number of series. Closures run outside the lock.
  package func text() -> [UInt8] {
    let families = families.withLock { Array($0.values) }.sorted { $0.name < $1.name }
    var out = Exposition()
    for family in families { out.append(family) }
    return out.bytes
  }

  private func add(
    _ name: String, _ help: String, _ kind: Kind, _ labels: Labels, make: () -> Source
  ) -> Source {
    families.withLock { families in
      if let present = families[name, kind, help].series[labels] { return present }
      let source = make()
      families[name, kind, help].series[labels] = source
      return source
    }
  }

  private func set(
    _ name: String, _ help: String, _ kind: Kind, _ labels: Labels, _ reading: @escaping Reading
  ) {
    families.withLock { $0[name, kind, help].series[labels] = .reading(reading) }
  }
}

private func clash(_ name: String) -> Never {
  preconditionFailure("metric \(name) was made before as another kind")
}

extension [String: MetricRegistry.Family] {
  fileprivate subscript(
    name: String, kind: MetricRegistry.Kind, help: String
  ) -> MetricRegistry.Family {
    get {
      guard let family = self[name] else {
        precondition(Labels.isName(name), "metric name: \(name)")
        return MetricRegistry.Family(name: name, help: help, kind: kind)
      }
      if family.kind != kind { clash(name) }
      return family
    }
    set { self[name] = newValue }
  }
}

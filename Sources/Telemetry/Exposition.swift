/// Writes Prometheus' text format, version 0.0.4.
struct Exposition {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ family: MetricRegistry.Family) {
    var lines: [(order: String, text: String)] = family.series.map { labels, source in
      (labels.rendered, Exposition.lines(family.name, labels, source))
    }
    for collector in family.collectors {
      for sample in collector() {
        let text = Exposition.line(family.name, sample.labels.rendered, sample.value)
        lines.append((sample.labels.rendered, text))
      }
    }
    if lines.isEmpty { return }
    lines.sort { $0.order < $1.order }
    let help = family.help.split(separator: "\\", omittingEmptySubsequences: false)
      .joined(separator: "\\\\").split(separator: "\n", omittingEmptySubsequences: false)
      .joined(separator: "\\n")
    bytes += "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8
    for line in lines { bytes += line.text.utf8 }
  }

  private static func lines(
    _ name: String, _ labels: Labels, _ source: MetricRegistry.Source
  ) -> String {
    switch source {
    case .counter(let counter): line(name, labels.rendered, "\(counter.value)")
    case .gauge(let gauge): line(name, labels.rendered, "\(gauge.value)")
    case .reading(let reading): line(name, labels.rendered, reading())
    case .histogram(let histogram): lines(name, labels, histogram)
    }
  }

  private static func lines(_ name: String, _ labels: Labels, _ histogram: Histogram) -> String {
    let (cumulative, sum) = histogram.snapshot()
    let prefix = labels.rendered.isEmpty ? "" : labels.rendered + ","
    var text = ""
    for (bound, count) in zip(histogram.bounds + [.infinity], cumulative) {
      text += line("\(name)_bucket", "\(prefix)le=\"\(number(bound))\"", "\(count)")
    }
    text += line("\(name)_sum", labels.rendered, sum)
    return text + line("\(name)_count", labels.rendered, "\(cumulative.last ?? 0)")
  }

  private static func line(_ name: String, _ labels: String, _ value: Double) -> String {
    line(name, labels, number(value))
  }

  private static func line(_ name: String, _ labels: String, _ value: String) -> String {
    labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }

  /// A number as Prometheus reads it; whole ones without a fraction.
  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), abs(value) < 9e15 { return "\(Int64(value))" }
    return "\(value)"
  }
}

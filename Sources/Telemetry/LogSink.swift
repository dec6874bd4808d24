import Glibc
package import Logging

/// Where all log lines of a process go: one `write` per line, so that lines never interleave.
///
/// Logging never waits for whoever reads the log: see `LogWriter`.
package final class LogSink: Sendable {
  /// How a line looks.
  package enum Format: String, Sendable, CaseIterable { case json, text }

  /// Bytes of lines that wait for the descriptor: minutes of what the limiter lets through.
  package static let queueBytes = 1 << 20

  private let writer: LogWriter
  private let format: Format
  /// What is the same in all lines.
  private let origin: LogLine.Origin
  private let limiter: LogLimiter
  private let clock: @Sendable () -> LogTime

  /// Makes a sink.
  ///
  /// - Parameters:
  ///   - descriptor: open for writing for as long as the sink lives; standard error by default.
  ///     One that takes nothing for a second may be used a little longer.
  ///   - format: of the lines.
  ///   - node: the node's id, in each JSON line.
  ///   - process: that writes, in each line: as long as a node is upgraded it has two.
  ///   - limiter: of lines per event.
  ///   - clock: the wall clock.
  ///   - queueBytes: of lines that wait while the descriptor takes none; more are lost.
  package init(
    descriptor: Int32 = STDERR_FILENO, format: Format, node: String,
    process: Int32 = getpid(), limiter: LogLimiter = LogLimiter(),
    clock: @escaping @Sendable () -> LogTime = { .now },
    queueBytes: Int = LogSink.queueBytes
  ) {
    let origin = LogLine.Origin(node: node, process: "\(process)")
    writer = LogWriter(descriptor: descriptor, capacity: queueBytes) { count in
      let line = LogLine(
        time: clock(), level: .warning, label: "log", event: "log lines lost",
        metadata: ["lost": "\(count)"])
      return LogSink.bytes(line, format, origin)
    }
    self.format = format
    self.origin = origin
    self.limiter = limiter
    self.clock = clock
  }

  deinit {
    writer.settle(within: .seconds(1))
    writer.close()
  }

  /// Lines that were lost because the descriptor took none, or not fast enough.
  package var dropped: UInt64 { writer.dropped.value }

  /// Adds `wedlive_log_lines_dropped_total`.
  package func register(in registry: MetricRegistry) {
    registry.counter(
      "wedlive_log_lines_dropped_total",
      help: "Log lines lost because standard error took none, or not fast enough."
    ) { [dropped = writer.dropped] in Double(dropped.value) }
  }

  /// A swift-log handler that writes here; for `LoggingSystem.bootstrap`.
  ///
  /// - Parameters:
  ///   - label: of the logger.
  ///   - level: the lowest level written.
  /// - Returns: a value; copies are independent but for the sink.
  package func handler(label: String, level: Logger.Level = .info) -> LineLogHandler {
    LineLogHandler(label: label, level: level, sink: self)
  }

  func log(level: Logger.Level, label: String, event: String, metadata: Logger.Metadata) {
    let now = clock()
    let (admitted, suppressed) = limiter.admit(event, at: now)
    tell(suppressed, now)
    guard admitted else { return }
    write(
      LogLine(time: now, level: level, label: label, event: event, metadata: metadata))
  }

  /// Tells what the rate limit held back and waits until all is written; call it before the end.
  ///
  /// - Parameter limit: how long it waits at most: nobody may be reading.
  /// - Returns: whether all lines are written.
  @discardableResult package func flush(within limit: Duration = .seconds(1)) -> Bool {
    tell(limiter.drain(), clock())
    return writer.settle(within: limit)
  }

  /// Waits until all lines so far are written, as `flush`, and tells nothing.
  @discardableResult package func settle(within limit: Duration = .seconds(1)) -> Bool {
    writer.settle(within: limit)
  }

  private func tell(_ suppressed: [LogLimiter.Suppressed], _ now: LogTime) {
    for entry in suppressed {
      write(
        LogLine(
          time: now, level: .warning, label: "log", event: "log lines suppressed",
          metadata: ["of": "\(entry.event)", "suppressed": "\(entry.count)"]))
    }
  }

  private func write(_ line: LogLine) { writer.write(LogSink.bytes(line, format, origin)) }

  private static func bytes(
    _ line: LogLine, _ format: Format, _ origin: LogLine.Origin
  ) -> [UInt8] {
    format == .json ? line.json(of: origin) : line.text(of: origin)
  }
}

import Glibc
package import Logging

/// Where all log lines of a process go: one `write` per line, so that lines never interleave.
package final class LogSink: Sendable {
  /// How a line looks.
  package enum Format: String, Sendable, CaseIterable { case json, text }

  private let descriptor: Int32
  private let format: Format
  private let node: String
  private let limiter: LogLimiter
  private let clock: @Sendable () -> LogTime

  /// Makes a sink.
  ///
  /// - Parameters:
  ///   - descriptor: open for writing for as long as the sink lives; standard error by default.
  ///   - format: of the lines.
  ///   - node: the node's id, in each JSON line.
  ///   - limiter: of lines per event.
  ///   - clock: the wall clock.
  package init(
    descriptor: Int32 = STDERR_FILENO, format: Format, node: String,
    limiter: LogLimiter = LogLimiter(), clock: @escaping @Sendable () -> LogTime = { .now }
  ) {
    self.descriptor = descriptor
    self.format = format
    self.node = node
    self.limiter = limiter
    self.clock = clock
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

  /// Writes what the rate limit held back and nobody has told yet; call it before the end.
  package func flush() { tell(limiter.drain(), clock()) }

  private func tell(_ suppressed: [LogLimiter.Suppressed], _ now: LogTime) {
    for entry in suppressed {
      write(
        LogLine(
          time: now, level: .warning, label: "log", event: "log lines suppressed",
          metadata: ["of": "\(entry.event)", "suppressed": "\(entry.count)"]))
    }
  }

  /// Writes a line whole.
  ///
  /// A descriptor that takes nothing (a full disk, a closed pipe) loses it:
  /// a server must not stop because nobody reads its log.
  private func write(_ line: LogLine) {
    let bytes = format == .json ? line.json(node: node) : line.text()
    unsafe bytes.withUnsafeBytes { buffer in
      var sent = 0
      while sent < buffer.count {
        let count = unsafe Glibc.write(
          descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
        if count > 0 { sent += count } else if errno != EINTR { return }
      }
    }
  }
}

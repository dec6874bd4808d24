import Logging
import Telemetry

/// Connects the process's loggers to standard error, once.
enum LogSetUp {
  /// Starts logging as configured.
  ///
  /// - Returns: the node's own logger, and where it writes: flush that before the end.
  static func start(_ configuration: NodeConfiguration) -> (Logger, LogSink) {
    let sink = LogSink(
      format: LogSink.Format(rawValue: configuration.log.format.rawValue) ?? .json,
      node: configuration.node.effectiveID)
    let level = Logger.Level(rawValue: configuration.log.level.rawValue) ?? .info
    LoggingSystem.bootstrap { sink.handler(label: $0, level: level) }
    return (Logger(label: "node"), sink)
  }
}

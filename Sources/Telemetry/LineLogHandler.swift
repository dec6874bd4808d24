package import Logging

/// swift-log's handler for `LogSink`.
///
/// Never used per packet or per request: events of the control plane only.
package struct LineLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  package var logLevel: Logger.Level
  private let label: String
  private let sink: LogSink

  init(label: String, level: Logger.Level, sink: LogSink) {
    self.label = label
    logLevel = level
    self.sink = sink
  }

  package func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
    if let own = event.metadata { fields.merge(own) { $1 } }
    if let error = event.error { fields["error"] = "\(error)" }
    sink.log(
      level: event.level, label: label, event: event.message.description, metadata: fields)
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
}

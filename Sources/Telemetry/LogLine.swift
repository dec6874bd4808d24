import Logging

/// One event of the log, ready to be written: redacted, flat and bounded.
struct LogLine {
  /// Who writes: the same in all lines of a process.
  struct Origin: Sendable {
    let node: String
    /// Its number.
    let process: String
  }

  /// A value longer than this is cut, so that a line stays far below what a pipe takes at once.
  static let maxValueBytes = 1024
  /// More fields than this are dropped.
  static let maxFields = 32

  let time: LogTime
  let level: Logger.Level
  let label: String
  let event: String
  private(set) var fields: [(key: String, value: String)]

  /// Makes a line.
  ///
  /// - Parameters:
  ///   - time: of the event.
  ///   - level: of the event.
  ///   - label: of the logger.
  ///   - event: the message.
  ///   - metadata: nested dictionaries become `outer.inner`.
  init(
    time: LogTime, level: Logger.Level, label: String, event: String, metadata: Logger.Metadata
  ) {
    self.time = time
    self.level = level
    self.label = label
    self.event = LogLine.clean(event)
    fields = []
    append(metadata, prefix: "")
    fields.sort { $0.key < $1.key }
    if fields.count > LogLine.maxFields {
      fields.removeSubrange(LogLine.maxFields...)
    }
  }

  /// One line of JSON with its line feed.
  func json(of origin: Origin) -> [UInt8] {
    var out = JSONLine()
    out.append("ts", time.rfc3339)
    out.append("level", level.rawValue)
    out.append("event", event)
    out.append("node", origin.node)
    out.append("pid", origin.process)
    out.append("logger", label)
    for field in fields {
      let reserved = ["ts", "level", "event", "node", "pid", "logger"].contains(field.key)
      out.append(reserved ? "field.\(field.key)" : field.key, field.value)
    }
    return out.finished()
  }

  /// One line for a person, with its line feed:
  /// `22:34:01.123 71 INFO     stream live  wedding=ab`, where 71 is the process.
  func text(of origin: Origin) -> [UInt8] {
    var line = "\(time.local) \(origin.process) "
    line += level.rawValue.uppercased()
    line += String(repeating: " ", count: max(1, 9 - level.rawValue.utf8.count))
    line += LogLine.visible(event)
    for field in fields {
      let value = LogLine.visible(field.value)
      let quoted = value.isEmpty || value.utf8.contains(UInt8(ascii: " "))
      line += quoted ? "  \(field.key)=\"\(value)\"" : "  \(field.key)=\(value)"
    }
    return Array(line.utf8) + [UInt8(ascii: "\n")]
  }

  private mutating func append(_ metadata: Logger.Metadata, prefix: String) {
    for (key, value) in metadata {
      let name = prefix + key
      if Redaction.isSecret(key: key) {
        fields.append((name, Redaction.mark))
      } else if case .dictionary(let inner) = value {
        append(inner, prefix: name + ".")
      } else {
        fields.append((name, LogLine.clean(value.description)))
      }
    }
  }

  /// Redacts first and cuts then: a token cut in half would no longer look like one.
  private static func clean(_ text: String) -> String {
    let redacted = Redaction.redact(text)
    guard redacted.utf8.count > maxValueBytes else { return redacted }
    return String(decoding: redacted.utf8.prefix(maxValueBytes), as: UTF8.self) + "…"
  }

  /// Control characters made visible, so that no value forges a line or drives a terminal.
  private static func visible(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
        out += scalar.escaped(asASCII: true)
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

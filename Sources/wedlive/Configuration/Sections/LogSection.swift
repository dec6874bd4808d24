/// `log`: the lines on standard error.
struct LogSection: Equatable, Sendable {
  enum Format: String, CaseIterable, Sendable { case json, text }
  enum Level: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
  }

  var format = Format.json
  var level = Level.info
}

import Foundation

/// What a stream of the process is connected to.
struct Terminal: Equatable, Sendable {
  let descriptor: Int32
  /// Whether a person looks at it.
  let isInteractive: Bool
  /// Whether it may be coloured.
  let hasColor: Bool

  /// Standard output or standard error, as it is.
  init(_ descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.descriptor = descriptor
    isInteractive = isatty(descriptor) == 1
    let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    hasColor = isInteractive && !isPlain && environment["TERM"] != "dumb"
  }

  /// One made up, for tests.
  init(isInteractive: Bool, hasColor: Bool) {
    descriptor = -1
    self.isInteractive = isInteractive
    self.hasColor = hasColor
  }

  enum Style: String, Sendable {
    case bold = "1"
    case dim = "2"
    case green = "32"
    case red = "31"
    case cyan = "36"
  }

  /// The text in a style, where there is colour.
  func styled(_ text: String, _ style: Style) -> String {
    hasColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// Writes text; what can't be written is lost.
  func write(_ text: String) {
    let bytes = Array(text.utf8)
    unsafe bytes.withUnsafeBytes { buffer in
      var sent = 0
      while sent < buffer.count {
        let count = unsafe Foundation.write(
          descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
        if count > 0 { sent += count } else if errno != EINTR { return }
      }
    }
  }
}

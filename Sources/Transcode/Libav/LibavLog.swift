import CFFmpeg
import Synchronization

/// What libav logs: kept in memory, one line, for the error message that follows it.
///
/// A hostile file can make libav log a line per packet; a terminal or a journal must not see them.
enum LibavLog {
  private static let last = Mutex("")

  /// Puts an end to libav's lines on standard error; the last error is kept instead.
  static func capture() {
    unsafe av_log_set_callback { context, level, format, arguments in
      guard level <= AV_LOG_ERROR, let format = unsafe format, let arguments = unsafe arguments
      else { return }
      var prefix: CInt = 1
      let line = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        guard let base = buffer.baseAddress else { return "" }
        _ = unsafe av_log_format_line2(context, level, format, arguments, base, 512, &prefix)
        return unsafe String(cString: base)
      }
      let printable = LibavLog.printable(line)
      if !printable.isEmpty { LibavLog.last.withLock { $0 = printable } }
    }
  }

  /// The last line, once.
  static func takeLast() -> String {
    last.withLock { line in
      defer { line = "" }
      return line
    }
  }

  /// Without control characters, which could come from the file, and without `[mov @ 0x55…]`.
  static func printable(_ line: String) -> String {
    var text = String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.value >= 0x20 }))
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      text.removeSubrange(text.startIndex...end)
    }
    while text.hasPrefix(" ") { text.removeFirst() }
    while text.hasSuffix(" ") { text.removeLast() }
    return String(text.prefix(200))
  }
}

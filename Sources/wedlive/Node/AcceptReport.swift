import EventLoop
import Logging
import Synchronization

/// Tells the operator that connections can't be accepted: once in a while, however often it
/// happens.
final class AcceptReport: Sendable {
  /// The least time between two lines.
  private static let interval = Duration.seconds(30)

  private let logger: Logger
  private let last = Mutex<MonotonicTime?>(nil)

  init(_ logger: Logger) { self.logger = logger }

  /// Notes a failure; called on a loop, so the line is written elsewhere.
  func failed(_ error: SystemError) {
    let isDue = last.withLock { last in
      let now = MonotonicTime.now
      if let last, now - last < Self.interval { return false }
      last = now
      return true
    }
    guard isDue else { return }
    Task { [logger] in
      logger.error(
        "connections can't be accepted",
        metadata: ["error": "\(error)", "see": "process_max_fds, process_open_fds in /metrics"])
    }
  }
}

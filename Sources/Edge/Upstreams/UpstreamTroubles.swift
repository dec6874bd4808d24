import EventLoop
import HTTPClient
import Logging
import Synchronization

/// Says in the log why servers behind this edge give no answer: viewers are told that much alone.
///
/// A crowd asks thousands of times what can't be had: each server has a line now and then.
final class UpstreamTroubles: Sendable {
  private struct Trouble {
    var saidAt: MonotonicTime
    /// How many there were since, which were not said.
    var unsaid = 0
  }

  /// How far apart the lines of one server are.
  private static let pause = Duration.seconds(10)
  /// Servers that are remembered; of a cluster's all fit.
  private static let capacity = 256

  private let logger: Logger
  private let troubles = Mutex<[Upstream: Trouble]>([:])

  init(_ logger: Logger) { self.logger = logger }

  /// A server gave no answer, or none of use.
  ///
  /// - Parameters:
  ///   - upstream: which.
  ///   - words: why, for the operator.
  ///   - now: by the monotonic clock.
  func note(_ upstream: Upstream, _ words: String, at now: MonotonicTime = .now) {
    let unsaid = troubles.withLock { troubles -> Int? in
      if let known = troubles[upstream], now - known.saidAt < Self.pause {
        troubles[upstream]?.unsaid += 1
        return nil
      }
      if troubles.count >= Self.capacity { troubles = [:] }
      return troubles.updateValue(Trouble(saidAt: now), forKey: upstream)?.unsaid ?? 0
    }
    guard let unsaid else { return }
    logger.warning(
      "an upstream gave no answer",
      metadata: ["upstream": "\(upstream)", "error": "\(words)", "before": "\(unsaid)"])
  }
}

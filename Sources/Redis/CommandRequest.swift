import EventLoop
import Synchronization

/// Commands that are sent together and whose replies are awaited together.
struct CommandRequest: Sendable {
  typealias Outcome = Result<[RedisValue], RedisError>

  /// Whether its task was cancelled, known before the loop hears of it.
  final class Ticket: Sendable {
    private let cancelled = Atomic(false)
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    func cancel() { cancelled.store(true, ordering: .releasing) }
  }

  let number: UInt64
  /// The commands as they go out.
  let bytes: [UInt8]
  /// How many there are.
  let count: Int
  let started: MonotonicTime
  let deadline: MonotonicTime
  let ticket: Ticket
  /// Called once.
  let complete: @Sendable (Outcome) -> Void
}

import Telemetry
import EventLoop

/// The responses of one loop that wait until they may send more: one tick for all of them.
final class Pacer {
  /// How long a response waits at least, and the only timer that there is.
  static let tick = Duration.milliseconds(20)

  private unowned let server: LoopServer
  private var waiting: [RequestKey] = []
  private var isTicking = false

  init(_ server: LoopServer) { self.server = server }

  /// Has a response asked again at the next tick.
  func wait(_ key: RequestKey) {
    waiting.append(key)
    server.metrics.shared.pacedWaits.increment()
    guard !isTicking else { return }
    isTicking = true
    server.loop.schedule(after: Self.tick) { [weak self] in self?.ticked() }
  }

  private func ticked() {
    isTicking = false
    let due = waiting
    waiting.removeAll(keepingCapacity: true)
    for key in due {
      (server.loop.channel(key.connection) as? Connection)?.paceAllows(key.stream)
    }
  }
}

import Logging
import Redis

/// Tells a person when Redis is lost, and when it is back: once each, however often it is tried.
struct RedisReport {
  private var isLost = false

  /// What there is to say of a new state; nil for nothing.
  mutating func line(for state: RedisState) -> (level: Logger.Level, text: String)? {
    switch state {
    case .lost(let loss) where !isLost:
      isLost = true
      return (.warning, "Redis is lost, and the node goes on with what it knows: \(loss)")
    case .connected(let server, _) where isLost:
      isLost = false
      return (.notice, "Redis is back: \(server)")
    case .connecting, .connected, .lost, .closed: return nil
    }
  }

  /// Logs what becomes of a client until it is closed, or the task is cancelled.
  static func follow(_ client: RedisClient, _ logger: Logger) async {
    var report = RedisReport()
    for await state in client.changes {
      guard let line = report.line(for: state) else { continue }
      logger.log(level: line.level, "\(line.text)")
    }
  }
}

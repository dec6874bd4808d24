import Logging
import Redis

/// Tells a person when Redis is lost, and when it is back: once each, however often it is tried.
struct RedisReport {
  private var isLost = false
  private var hasBeenThere = false

  /// All that comes of it: nobody else warns of what is theirs (`RedisTrouble`).
  private static let meaning = """
    Streams and viewers go on. Until it is back locks and cameras can't be changed, what other nodes change \
    isn't heard of, purges wait, and new stream keys and keys of TLS tickets are this node's alone
    """

  /// What there is to say of a new state; nil for nothing.
  mutating func line(for state: RedisState) -> (level: Logger.Level, text: String)? {
    switch state {
    case .lost(let loss) where !isLost:
      isLost = true
      let what =
        hasBeenThere
        ? "Redis is lost, and the node goes on with what it knows"
        : "Redis hasn't been reached yet (redis.url), and the node begins without it"
      return (.warning, "\(what): \(loss). \(Self.meaning)")
    case .connected(let server, _) where isLost:
      isLost = false
      defer { hasBeenThere = true }
      return (.notice, "Redis is \(hasBeenThere ? "back" : "there"): \(server)")
    case .connected:
      hasBeenThere = true
      return nil
    case .connecting, .lost, .closed: return nil
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

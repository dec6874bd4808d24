import EventLoop

/// Listens to a Sentinel: when it makes another server the primary, the old one is left at once.
///
/// Each time it connects it asks where the primary is too, since it may have missed the message.
final class SentinelLink: RedisLink {
  private static let channel = "+switch-master"

  private let primary: String
  private var query: SentinelQuery?

  init(primary: String, _ engine: RedisEngine) {
    self.primary = primary
    super.init(engine.greeting(.sentinelMessages), engine)
  }

  override func opened(_ server: RedisServer) {
    connection?.write { session, output in session.subscribe(Self.channel, into: &output) }
  }

  override func happened(_ event: RedisSession.Event) {
    switch event {
    case .subscribed(_, nil): ask()
    case .message(Self.channel, let payload): switched(String(decoding: payload, as: UTF8.self))
    default: break
    }
  }

  /// Reads `name old-host old-port new-host new-port`.
  private func switched(_ text: String) {
    let words = text.split(separator: " ")
    guard words.count == 5, words[0] == primary, let port = UInt16(words[4]) else { return }
    engine.primaryIs("\(RedisAddress.Endpoint.tcp(host: String(words[3]), port: port))")
  }

  private func ask() {
    guard case .sentinels(let endpoints, _) = engine.configuration.address.place else { return }
    let query = SentinelQuery(endpoints, primary: primary, engine) { [weak self] result in
      self?.query = nil
      if case .success(let endpoint) = result { self?.engine.primaryIs("\(endpoint)") }
    }
    self.query = query
    query.start()
  }
}

import EventLoop

/// Says where to connect to: the server of the address, or whatever Sentinels name as the primary.
///
/// One question to the Sentinels is under way at a time, whoever waits for the answer; they are
/// asked in turn until one knows. What they say is checked by the session: a server that isn't a
/// primary is left again, and the next Sentinel is asked.
final class RedisLocator {
  typealias Found = (Result<[RedisEngine.Candidate], RedisLoss>) -> Void

  private unowned let engine: RedisEngine
  private var waiting: [Found] = []
  /// The Sentinel to ask first.
  private var first = 0
  private var query: SentinelQuery?

  init(_ engine: RedisEngine) { self.engine = engine }

  /// Finds what this kind of link connects to.
  func locate(_ wanted: RedisSession.Greeting.Wanted, _ found: @escaping Found) {
    switch (engine.configuration.address.place, wanted) {
    case (.server(let endpoint), _): engine.resolve(endpoint, found)
    case (.sentinels(let endpoints, _), .sentinelMessages):
      engine.resolve(endpoints[first % endpoints.count], found)
    case (.sentinels(let endpoints, let primary), _):
      waiting.append(found)
      if query == nil { ask(endpoints, primary) }
    }
  }

  /// An attempt has failed: another Sentinel may know better.
  func failed(_ loss: RedisLoss) {
    guard case .sentinels(let endpoints, _) = engine.configuration.address.place else { return }
    first = (first + 1) % endpoints.count
  }

  private func ask(_ endpoints: [RedisAddress.Endpoint], _ primary: String) {
    let order = endpoints.indices.map { endpoints[(first + $0) % endpoints.count] }
    let query = SentinelQuery(order, primary: primary, engine) { [weak self] in
      self?.answered($0)
    }
    self.query = query
    query.start()
  }

  private func answered(_ result: Result<RedisAddress.Endpoint, RedisLoss>) {
    query = nil
    let founds = waiting
    waiting = []
    switch result {
    case .failure(let loss): for found in founds { found(.failure(loss)) }
    case .success(let endpoint):
      engine.resolve(endpoint) { result in for found in founds { found(result) } }
    }
  }
}

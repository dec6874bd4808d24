import EventLoop

/// Asks Sentinels, one after the other, where the primary is, until one knows.
final class SentinelQuery {
  private static let number: UInt64 = 1

  private unowned let engine: RedisEngine
  private let primary: String
  private let answered: (Result<RedisAddress.Endpoint, RedisLoss>) -> Void
  private var sentinels: [RedisAddress.Endpoint]
  private var candidates: [RedisEngine.Candidate] = []
  private var connection: RedisConnection?
  private var loss: RedisLoss?
  private var isOver = false

  /// Makes a query.
  ///
  /// - Parameters:
  ///   - sentinels: in the order to ask.
  ///   - primary: its name.
  ///   - engine: connects.
  ///   - answered: told once; the query must be held until then.
  init(
    _ sentinels: [RedisAddress.Endpoint], primary: String, _ engine: RedisEngine,
    answered: @escaping (Result<RedisAddress.Endpoint, RedisLoss>) -> Void
  ) {
    self.sentinels = sentinels.reversed()
    self.primary = primary
    self.engine = engine
    self.answered = answered
  }

  func start() { next() }

  private func next() {
    if let candidate = candidates.popLast() { return connect(to: candidate) }
    guard let sentinel = sentinels.popLast() else {
      return end(.failure(loss ?? .noPrimary(primary)))
    }
    engine.resolve(sentinel) { [weak self] result in
      guard let self, !self.isOver else { return }
      switch result {
      case .success(let found): self.candidates = found.reversed()
      case .failure(let loss): self.loss = loss
      }
      self.next()
    }
  }

  private func connect(to candidate: RedisEngine.Candidate) {
    let owner = RedisConnection.Owner(
      happened: { [weak self] in self?.happened($0) },
      ended: { [weak self] loss in
        guard let self, !self.isOver else { return }
        self.connection = nil
        // That a Sentinel does not know the primary says more than that another one is down.
        if loss != .closed { self.loss = self.loss ?? loss }
        self.next()
      })
    do throws(RedisLoss) {
      connection = try engine.connect(to: candidate, engine.greeting(.sentinel), owner)
    } catch {
      loss = loss ?? error
      next()
    }
  }

  private func happened(_ event: RedisSession.Event) {
    switch event {
    case .opened:
      connection?.write { session, output in
        session.send(
          RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", primary), as: Self.number,
          into: &output)
      }
    case .replied(Self.number, let value):
      if let parts = value.array, parts.count == 2, let host = parts[0].text,
        let port = parts[1].text.flatMap(UInt16.init)
      {
        return end(.success(.tcp(host: host, port: port)))
      }
      loss = if case .error(let error) = value { .refused(error) } else { .noPrimary(primary) }
      // What it leads to is `ended`, and the next Sentinel.
      connection?.end(.closed)
    default: break
    }
  }

  private func end(_ result: Result<RedisAddress.Endpoint, RedisLoss>) {
    guard !isOver else { return }
    isOver = true
    connection?.end(.closed)
    connection = nil
    answered(result)
  }
}

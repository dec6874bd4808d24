import EventLoop
import Telemetry

/// Keeps one connection of one kind to where Redis is, and makes it anew whenever it is lost.
///
/// Subclasses say what is done with it. Confined to its engine's loop.
class RedisLink {
  let greeting: RedisSession.Greeting
  unowned let engine: RedisEngine
  private(set) var connection: RedisConnection?
  private(set) var server: RedisServer?
  /// Why there is no connection; nil before the first attempt has failed.
  private(set) var lastLoss: RedisLoss?
  /// Since when there is none.
  private(set) var lostAt = MonotonicTime.now
  private(set) var isClosed = false
  private var openedAt: MonotonicTime?
  private var failures = 0
  /// Grows with each attempt, so that what an earlier one began is recognised.
  private var attempt: UInt64 = 0
  private var retry: ScheduledWork?
  private var candidates: [RedisEngine.Candidate] = []

  init(_ greeting: RedisSession.Greeting, _ engine: RedisEngine) {
    self.greeting = greeting
    self.engine = engine
  }

  /// Whether commands can be sent.
  final var isOpen: Bool { server != nil }

  // MARK: For subclasses

  /// A connection is there, and the server has introduced itself.
  func opened(_ server: RedisServer) {}

  /// Anything else the server said.
  func happened(_ event: RedisSession.Event) {}

  /// The connection, or the attempt at one, is over; the next one comes by itself.
  ///
  /// - Parameters:
  ///   - loss: why.
  ///   - connection: the one that is over, where commands may have been sent on it.
  func lost(_ loss: RedisLoss, _ connection: RedisConnection?) {}

  // MARK: Life

  /// Begins to connect.
  final func start() {
    guard !isClosed, connection == nil else { return }
    retry = nil
    attempt += 1
    let mine = attempt
    engine.locator.locate(greeting.wanted) { [weak self] result in
      guard let self, self.attempt == mine, !self.isClosed else { return }
      switch result {
      case .success(let found):
        self.candidates = found.reversed()
        self.next(after: nil)
      case .failure(let loss): self.fail(loss, nil)
      }
    }
  }

  /// Ends the connection; another one is made after the usual pause.
  final func retire(_ loss: RedisLoss) { connection?.end(loss) }

  /// Ends for good.
  final func close() {
    guard !isClosed else { return }
    isClosed = true
    attempt += 1
    if let retry { engine.loop.cancel(retry) }
    retry = nil
    if let connection { connection.end(.closed) } else { lost(.closed, nil) }
  }

  private func next(after loss: RedisLoss?) {
    guard let candidate = candidates.popLast() else {
      return fail(loss ?? .unknownHost("\(engine.configuration.address)"), nil)
    }
    let mine = attempt
    let owner = RedisConnection.Owner(
      happened: { [weak self] in self?.handle($0) },
      ended: { [weak self] loss in
        guard let self, self.attempt == mine || self.isClosed else { return }
        self.ended(loss)
      })
    do throws(RedisLoss) {
      connection = try engine.connect(to: candidate, greeting, owner)
    } catch {
      next(after: error)
    }
  }

  private func handle(_ event: RedisSession.Event) {
    guard case .opened(let server) = event else { return happened(event) }
    self.server = server
    openedAt = engine.loop.now
    candidates = []
    engine.metrics.connections.increment()
    opened(server)
  }

  private func ended(_ loss: RedisLoss) {
    let old = connection
    let wasOpen = isOpen
    connection = nil
    server = nil
    if !wasOpen, !isClosed {
      // Another address of the name may answer where this one did not.
      switch loss {
      case .unreachable, .silent(.connecting, _), .closedByServer, .broken: return next(after: loss)
      default: break
      }
    }
    fail(loss, old)
  }

  private func fail(_ loss: RedisLoss, _ old: RedisConnection?) {
    // A connection that did not last says nothing good about the next attempt.
    if let openedAt {
      lostAt = engine.loop.now
      if lostAt - openedAt >= engine.configuration.longestPause { failures = 0 }
    }
    openedAt = nil
    lastLoss = loss
    candidates = []
    engine.metrics.lost(loss)
    lost(loss, old)
    guard !isClosed else { return }
    engine.locator.failed(loss)
    let pause = engine.configuration.pause(after: failures)
    failures = min(failures + 1, 30)
    retry = engine.loop.schedule(after: pause) { [weak self] in self?.start() }
  }
}

extension RedisConfiguration {
  /// How long to rest after so many attempts in a row have failed, with jitter.
  func pause(after failures: Int) -> Duration {
    let doubled = shortestPause * (1 << min(failures, 20))
    let whole = min(doubled, longestPause).nanoseconds
    return .nanoseconds(Int64.random(in: whole / 2...max(1, whole)))
  }
}

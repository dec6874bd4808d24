import EventLoop
import Telemetry

/// A link that sends commands, many under way at a time, and gives each its reply.
///
/// Commands wait while there is no connection, for a while; what was sent is never sent again.
class CommandLink: RedisLink {
  /// A request whose replies are still due.
  private struct Waiting {
    let request: CommandRequest
    let timer: ScheduledWork
    var replies: [RedisValue] = []
    /// Where it begins in what its connection has sent; nil while it waits for one.
    var start: UInt64?
  }

  private let patience: Duration
  /// Whether its commands wait at the server, and their times say nothing about it.
  private let blocks: Bool
  private var waiting: [UInt64: Waiting] = [:]
  /// Those that wait for a connection, oldest first; some may have been given up.
  private var unsent: [UInt64] = []
  private var waitingCount = 0
  private var waitingBytes = 0

  /// Makes a link to the primary.
  ///
  /// - Parameters:
  ///   - engine: its own.
  ///   - patience: how long commands wait for a lost connection to come back.
  ///   - blocks: whether its commands wait at the server.
  init(_ engine: RedisEngine, patience: Duration, blocks: Bool) {
    self.patience = patience
    self.blocks = blocks
    super.init(engine.greeting(.primary), engine)
  }

  deinit {
    // The loop has ended under us: nobody else will tell them.
    for entry in waiting.values { entry.request.complete(.failure(.closed)) }
  }

  // MARK: Requests

  func submit(_ request: CommandRequest) {
    if let refusal = refusal(of: request) { return fail(request, refusal) }
    let deadline = isOpen ? request.deadline : min(request.deadline, lostAt + patience)
    let number = request.number
    let timer = engine.loop.schedule(after: deadline - .now) { [weak self] in
      self?.timedOut(number)
    }
    waiting[number] = Waiting(request: request, timer: timer)
    count(request, 1)
    if isOpen { return send(number) }
    // Those that were given up meanwhile are passed over, but may not pile up.
    if unsent.count > 2 * waiting.count + 64 { unsent.removeAll { waiting[$0] == nil } }
    unsent.append(number)
  }

  private func refusal(of request: CommandRequest) -> RedisError? {
    if request.ticket.isCancelled { return .cancelled(mayHaveRun: false) }
    let limits = engine.configuration
    // Replies to what was given up are still due, and its bytes may still wait for the socket.
    let due = max(waitingCount, connection?.awaitedReplies ?? 0)
    let bytes = max(waitingBytes, connection?.unsentBytes ?? 0)
    if due + request.count > limits.waitingCommands
      || bytes + request.bytes.count > limits.waitingBytes
    {
      return .tooManyWaiting
    }
    if !isOpen, engine.loop.now - lostAt >= patience { return .notConnected(lastLoss) }
    return nil
  }

  func cancel(_ number: UInt64) {
    guard let entry = waiting[number] else { return }
    finish(number, .failure(.cancelled(mayHaveRun: entry.start != nil)))
  }

  private func timedOut(_ number: UInt64) {
    guard let entry = waiting[number] else { return }
    let isSent = entry.start != nil
    finish(number, .failure(isSent ? .timedOut(mayHaveRun: true) : .notConnected(lastLoss)))
  }

  private func send(_ number: UInt64) {
    guard let request = waiting[number]?.request else { return }
    waiting[number]?.start = connection?.writtenBytes
    connection?.write { session, output in
      session.send(formatted: request.bytes, count: request.count, as: number, into: &output)
      return true
    }
  }

  private func finish(_ number: UInt64, _ outcome: CommandRequest.Outcome) {
    guard let entry = waiting.removeValue(forKey: number) else { return }
    engine.loop.cancel(entry.timer)
    count(entry.request, -1)
    switch outcome {
    case .success:
      let time = blocks ? nil : MonotonicTime.now - entry.request.started
      engine.metrics.answered(entry.request.count, after: time)
      entry.request.complete(outcome)
    case .failure(let error): fail(entry.request, error)
    }
  }

  private func fail(_ request: CommandRequest, _ error: RedisError) {
    engine.metrics.failed(request.count, error)
    request.complete(.failure(error))
  }

  private func count(_ request: CommandRequest, _ sign: Int) {
    waitingCount += sign * request.count
    waitingBytes += sign * request.bytes.count
    engine.metrics.waitingCommands.add(sign * request.count)
    engine.metrics.waitingBytes.add(sign * request.bytes.count)
  }

  // MARK: The connection

  override func opened(_ server: RedisServer) {
    let numbers = unsent
    unsent = []
    for number in numbers {
      guard let request = waiting[number]?.request else { continue }
      // From here on its own deadline counts, and no more our patience.
      if let timer = waiting[number]?.timer { engine.loop.cancel(timer) }
      let timer = engine.loop.schedule(after: request.deadline - .now) { [weak self] in
        self?.timedOut(number)
      }
      waiting[number] = Waiting(request: request, timer: timer)
      send(number)
    }
  }

  override func happened(_ event: RedisSession.Event) {
    guard case .replied(let number, let value) = event else { return }
    if let count = waiting[number]?.request.count {
      waiting[number]?.replies.append(value)
      if let replies = waiting[number]?.replies, replies.count == count {
        finish(number, .success(replies))
      }
    }
    guard case .error(let error) = value, error.deniesPrimary else { return }
    retire(error.kind == "READONLY" ? .notPrimary("replica") : .loading)
  }

  override func lost(_ loss: RedisLoss, _ connection: RedisConnection?) {
    let sent = connection?.sentBytes ?? 0
    for (number, entry) in waiting {
      if let start = entry.start {
        finish(number, .failure(.lost(loss, mayHaveRun: start < sent)))
      } else if isClosed {
        finish(number, .failure(.closed))
      }
    }
    if isClosed { unsent = [] }
  }
}

/// The link that a client's commands take, and whose state is the client's.
final class PrimaryLink: CommandLink {
  private var connections = 0
  private var isCounted = false

  init(_ engine: RedisEngine) {
    super.init(engine, patience: engine.configuration.reconnectPatience, blocks: false)
  }

  override func opened(_ server: RedisServer) {
    connections += 1
    isCounted = true
    engine.metrics.connected.increment()
    engine.board.set(.connected(server, connection: connections))
    super.opened(server)
  }

  override func lost(_ loss: RedisLoss, _ connection: RedisConnection?) {
    if isCounted { engine.metrics.connected.decrement() }
    isCounted = false
    engine.board.set(loss == .closed ? .closed : .lost(loss))
    super.lost(loss, connection)
  }
}

extension RedisEngine {
  /// How a session of this kind introduces itself.
  func greeting(_ wanted: RedisSession.Greeting.Wanted) -> RedisSession.Greeting {
    var greeting = RedisSession.Greeting(wanted)
    greeting.clientName = configuration.clientName
    guard !greeting.isForSentinel else {
      greeting.password = configuration.sentinelPassword
      return greeting
    }
    greeting.user = configuration.address.user
    greeting.password = configuration.address.password
    greeting.database = configuration.address.database
    return greeting
  }
}

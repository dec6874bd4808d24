import Dispatch
package import EventLoop
import Synchronization
package import Telemetry
import TLS

/// Talks to one Redis server, or to the primary that Sentinels name.
///
/// All commands share one connection, many under way at a time, and are answered in their order; so
/// commands that block (`BLPOP`, `XREAD BLOCK`) and `WATCH` have no place in `send`: see `follow`,
/// and write compare-and-set as a `RedisScript`. Subscriptions have a connection of their own. A
/// lost connection is made anew by itself; what was sent on it is never sent again by us, and its
/// error says whether it may have been run. Dropping the client, or `close()`, ends everything.
package final class RedisClient: Sendable {
  private static let nextID = Atomic<UInt64>(1)

  package let configuration: RedisConfiguration
  let mailbox: LoopMailbox
  private let id: UInt64
  /// The loop that is the client's own; nil where it lives on another's.
  private let own: LoopGroup?
  private let board = StateBoard()
  private let numbers = Atomic<UInt64>(1)

  /// Makes a client, which begins to connect.
  ///
  /// - Parameters:
  ///   - configuration: where to, as whom, and how patiently.
  ///   - loop: where it lives; nil: on a thread of its own.
  ///   - registry: where `wedlive_redis_…` are counted.
  /// - Throws: `.misconfigured` where the trusted authorities can't be read or no thread be had.
  package init(
    _ configuration: RedisConfiguration, on loop: LoopMailbox? = nil,
    metrics registry: MetricRegistry? = nil
  ) throws(RedisError) {
    self.configuration = configuration
    id = Self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    let tls = configuration.address.isSecure ? try Self.context(configuration) : nil
    if let loop {
      own = nil
      mailbox = loop
    } else {
      let group = try Self.thread()
      own = group
      mailbox = group.mailboxes[0]
    }
    let (id, board, metrics) = (id, board, RedisMetrics(registry))
    let accepted = mailbox.submit { loop in
      let engine = RedisEngine(
        id: id, configuration, tls: tls, metrics: metrics, board: board, on: loop)
      RedisTable.of(loop).engines[id] = engine
      engine.start()
    }
    if !accepted { board.set(.closed) }
  }

  deinit {
    end {}
    // Not here: this may be a thread that the loop waits for.
    if let own { DispatchQueue.global().async { own.stop() } }
  }

  private static func context(_ configuration: RedisConfiguration) throws(RedisError) -> TLSContext
  {
    do throws(TLSError) {
      return try TLSContext.client(TLSClientConfiguration(trust: configuration.trust))
    } catch {
      throw .misconfigured(error.description)
    }
  }

  private static func thread() throws(RedisError) -> LoopGroup {
    do throws(SystemError) {
      return try LoopGroup(count: 1)
    } catch {
      throw .misconfigured("no thread for Redis: \(error)")
    }
  }

  // MARK: State

  /// Whether there is a connection, and to whom.
  package var state: RedisState { board.state }

  /// The state now and each time it changes; who is slow sees the newest.
  ///
  /// A connection that was lost and made anew meanwhile has another number.
  package var changes: AsyncStream<RedisState> { board.changes() }

  /// Ends everything: what waits gets `.closed`, or `.lost` where it may have been run.
  package func close() async {
    await withCheckedContinuation { continuation in end { continuation.resume() } }
  }

  private func end(_ done: @escaping @Sendable () -> Void) {
    let (id, board) = (id, board)
    let accepted = mailbox.submit { loop in
      RedisTable.of(loop).engines.removeValue(forKey: id)?.close()
      done()
    }
    guard !accepted else { return }
    board.set(.closed)
    done()
  }

  // MARK: Commands

  /// Sends a command and returns its reply.
  ///
  /// Cancelling the task gives the reply up; a command that was sent is run all the same.
  ///
  /// - Parameters:
  ///   - command: any that answers at once.
  ///   - deadline: from now to the reply, waiting included; nil: `commandDeadline`.
  /// - Returns: the reply, which is no error.
  /// - Throws: `.refused` with the server's own words, or why there is no reply.
  @discardableResult
  package func send(
    _ command: RedisCommand, deadline: Duration? = nil
  ) async throws(RedisError) -> RedisValue {
    let replies = try await exchange([command], deadline, on: RedisEngine.commands)
    guard let reply = replies.first else { throw .unexpected("none") }
    if case .error(let error) = reply { throw .refused(error) }
    return reply
  }

  /// Sends commands in one flight and returns their replies, in order.
  ///
  /// Other commands are not run between them as seen by this connection, but by others they may be:
  /// see `transaction`.
  ///
  /// - Parameters:
  ///   - commands: any number; none: no reply.
  ///   - deadline: from now to the last reply.
  /// - Returns: a reply for each command, which may be an error.
  /// - Throws: why there are no replies.
  package func pipeline(
    _ commands: [RedisCommand], deadline: Duration? = nil
  ) async throws(RedisError) -> [RedisValue] {
    commands.isEmpty ? [] : try await exchange(commands, deadline, on: RedisEngine.commands)
  }

  /// Runs commands between `MULTI` and `EXEC`: all of them, with nothing of others in between.
  ///
  /// - Returns: a reply for each command, which may be an error (the others have been run then).
  /// - Throws: `.refused` where the server did not take one of them: none has been run then.
  package func transaction(
    _ commands: [RedisCommand], deadline: Duration? = nil
  ) async throws(RedisError) -> [RedisValue] {
    guard !commands.isEmpty else { return [] }
    let all = [RedisCommand("MULTI")] + commands + [RedisCommand("EXEC")]
    let replies = try await exchange(all, deadline, on: RedisEngine.commands)
    for reply in replies.dropLast() { if case .error(let error) = reply { throw .refused(error) } }
    switch replies.last {
    case .array(let values) where values.count == commands.count: return values
    case .error(let error): throw .refused(error)
    case let other: throw .unexpected("EXEC was answered with \(other?.kind ?? "nothing")")
    }
  }

  /// Runs a script; a server that has it not is sent its text.
  ///
  /// - Parameters:
  ///   - script: reads and writes only the keys named here.
  ///   - keys: of one hash tag, where it shall work on Redis Cluster one day.
  ///   - arguments: of any bytes.
  ///   - deadline: for both attempts together.
  /// - Returns: what the script returns.
  /// - Throws: as `send`.
  @discardableResult
  package func run(
    _ script: RedisScript, keys: [String] = [], arguments: [any RedisCommand.Word] = [],
    deadline: Duration? = nil
  ) async throws(RedisError) -> RedisValue {
    let end = MonotonicTime.now + (deadline ?? configuration.commandDeadline)
    let short = script.command(whole: false, keys: keys, arguments: arguments)
    do throws(RedisError) {
      return try await send(short, deadline: end - .now)
    } catch {
      guard case .refused(let words) = error, words.kind == "NOSCRIPT" else { throw error }
    }
    let whole = script.command(whole: true, keys: keys, arguments: arguments)
    return try await send(whole, deadline: end - .now)
  }

  /// Sends commands by one of the client's links and waits for their replies.
  func exchange(
    _ commands: [RedisCommand], _ deadline: Duration?, on link: RedisEngine.LinkID
  ) async throws(RedisError) -> [RedisValue] {
    var bytes: [UInt8] = []
    let size = commands.reduce(0) { $0 + $1.approximateBytes }
    guard size <= configuration.commandBytes else { throw .tooLarge(bytes: size) }
    for command in commands where !command.write(into: &bytes) { throw .tooLarge(bytes: size) }
    let number = nextNumber()
    let ticket = CommandRequest.Ticket()
    let (id, mailbox, formatted, start) = (id, mailbox, bytes, MonotonicTime.now)
    let end = start + (deadline ?? configuration.commandDeadline)
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let request = CommandRequest(
          number: number, bytes: formatted, count: commands.count, started: start, deadline: end,
          ticket: ticket, complete: { continuation.resume(returning: $0) })
        let accepted = mailbox.submit { loop in
          guard let engine = RedisTable.of(loop).engines[id] else {
            return request.complete(.failure(.closed))
          }
          engine.submit(request, to: link)
        }
        if !accepted { request.complete(.failure(.closed)) }
      }
    } onCancel: {
      ticket.cancel()
      mailbox.submit { loop in RedisTable.of(loop).engines[id]?.cancel(number, on: link) }
    }
    return try outcome.get()
  }

  func nextNumber() -> UInt64 { numbers.wrappingAdd(1, ordering: .relaxed).oldValue }

  /// Does something with the engine, on its loop; nothing where the client is closed.
  func onLoop(_ work: @escaping @Sendable (RedisEngine?) -> Void) {
    let id = id
    let accepted = mailbox.submit { loop in work(RedisTable.of(loop).engines[id]) }
    if !accepted { work(nil) }
  }

  // MARK: Channels

  /// Subscribes to channels; the messages come until the sequence is dropped.
  ///
  /// - Returns: a sequence whose first event is `.joined`.
  package func subscribe(_ channels: String...) -> RedisSubscription {
    let feed = MessageFeed(
      id: nextNumber(), channels: Set(channels), bound: configuration.waitingMessages)
    onLoop { engine in
      if let engine { engine.add(feed) } else { feed.finish(.closed) }
    }
    let (id, mailbox) = (id, mailbox)
    return RedisSubscription(
      hold: RedisSubscription.Hold(feed) { feed in
        mailbox.submit { loop in RedisTable.of(loop).engines[id]?.remove(feed) }
      })
  }
}

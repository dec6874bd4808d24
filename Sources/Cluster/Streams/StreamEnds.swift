import EventLoop
import Logging
import Redis
import Synchronization
import Telemetry

/// That each stream's end is told, by one node: also where the one that had it is gone.
///
/// All streams stand in `wl:ends`, by when each is to be looked at; a holder, and an edge whose
/// publisher waits for an origin, put it off, so that nothing is looked at but what nobody speaks
/// for. An end is told where the lease has run out and the reconnect window has passed, as Redis'
/// clock says, and where nothing says that the stream lives all the same: an early end is far worse
/// than a late one.
package final class StreamEnds: Sendable {
  /// Tells that a stream has ended; `isLeft` where its publisher's end was told, and only that is
  /// missing.
  package typealias Tell = @Sendable (StreamID, _ isLeft: Bool) async -> Void

  static let key = "wl:ends"
  /// How many streams are put off by one command.
  private static let batch = 500

  private struct State {
    /// Whose ends are for this node to tell, and whether Redis could not be asked for them.
    var mine: [StreamID: Bool] = [:]
    /// What was told here and isn't noted in Redis: the same, and whether it was told a round ago,
    /// so that what follows from it is done.
    var told: [StreamID: (isBlind: Bool, isOld: Bool)] = [:]
    var connection = ConnectionAge()
  }

  private let client: RedisClient
  private let membership: Membership
  private let limits: ClusterConfiguration
  private let metrics: ClusterMetrics
  private let logger: Logger
  private let questions: StreamQuestions
  private let state = Mutex(State())

  init(
    _ membership: Membership, _ client: RedisClient, _ configuration: ClusterConfiguration,
    metrics: ClusterMetrics, logger: Logger
  ) {
    self.client = client
    self.membership = membership
    limits = configuration
    self.metrics = metrics
    self.logger = logger
    questions = StreamQuestions(client, membership, configuration)
  }

  // MARK: What is put off

  /// Streams live, or are about to: none of them ends before a lease and a reconnect window from
  /// now.
  ///
  /// Not said of one that is only asked for: an encoder that is refused again and again would put
  /// its end off. Does nothing where Redis can't be asked.
  package func note(_ streams: [StreamID]) async {
    var rest = streams.filter { !$0.isProgram }[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.batch)
      rest = rest.dropFirst(Self.batch)
      await postpone(some.map(\.description), by: limits.lease + limits.reconnectWindow)
    }
  }

  private func postpone(_ streams: [String], by duration: Duration) async {
    var arguments: [any RedisCommand.Word] = [StreamQuestions.milliseconds(duration)]
    for stream in streams { arguments.append(stream) }
    _ = try? await client.run(
      EndScripts.postpone, keys: [Self.key], arguments: arguments, deadline: limits.deadline)
  }

  // MARK: Ends that are told here

  /// Whether the end of a stream that this node has had is another's to tell, who has it or has had
  /// it since.
  ///
  /// Where it isn't, it is this node's from here on, which then says that it `told` it.
  ///
  /// - Parameters:
  ///   - stream: which; nobody publishes it here any more.
  ///   - sequence: of the last segment that this one has made; -1 where it has made none.
  /// - Returns: nil where Redis knows nothing of it.
  /// - Throws: why Redis can't say.
  package func isAnothers(
    _ stream: StreamID, beyond sequence: Int64
  ) async throws(ClusterError) -> Bool? {
    state.withLock { $0.mine[stream] = nil }
    do throws(ClusterError) {
      let reply = try await run(EndScripts.conclude, stream, sequence)
      guard let first = reply.array?.first?.integer else { return nil }
      if first == 0 { expect(stream, isBlind: false) }
      return first != 0
    } catch {
      expect(stream, isBlind: true)
      throw error
    }
  }

  private func expect(_ stream: StreamID, isBlind: Bool) {
    state.withLock { state in
      // One that is told twice does less harm than a memory without a bound.
      guard state.mine.count < limits.endsNoted else { return }
      state.mine[stream] = isBlind
    }
  }

  /// The end of a stream was told here, which had been asked for: that is noted in Redis soon, or
  /// when it is back.
  package func told(_ stream: StreamID) {
    state.withLock { state in
      guard let isBlind = state.mine.removeValue(forKey: stream) else { return }
      remember(stream, isBlind: isBlind, &state)
    }
  }

  /// A stream is on the air here again: what was told of its end is of no account.
  func goesOn(_ stream: StreamID) {
    state.withLock { state in
      state.mine[stream] = nil
      state.told[stream] = nil
    }
  }

  private func remember(_ stream: StreamID, isBlind: Bool, _ state: inout State) {
    guard state.told.count < limits.endsNoted || state.told[stream] != nil else { return }
    state.told[stream] = (isBlind, false)
  }

  /// Notes what was told at least a round ago.
  private func noteTold() async {
    let told = state.withLock { state in
      let ready = state.told.filter { $0.value.isOld }
      for stream in state.told.keys { state.told[stream]?.isOld = true }
      return ready
    }
    for (stream, (isBlind, _)) in told {
      guard client.state.isConnected else { return }
      guard let reply = try? await run(EndScripts.told, stream, isBlind ? 1 : 0) else { continue }
      state.withLock { if $0.told[stream]?.isOld == true { $0.told[stream] = nil } }
      if reply.integer == 1 { await remove("\(stream)") }
    }
  }

  private func remove(_ stream: String) async {
    _ = try? await client.send(
      RedisCommand("ZREM", Self.key, stream), deadline: limits.deadline)
  }

  // MARK: Ends that nobody has told

  /// Puts off what is held here, and tells the ends of what nobody holds, until the task is
  /// cancelled.
  ///
  /// - Parameters:
  ///   - holding: the streams that this node has.
  ///   - tell: tells one; of several at a time.
  func run(holding: @escaping @Sendable () -> [StreamID], _ tell: @escaping Tell) async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        await Bell().loop(every: self.limits.lease) { await self.note(holding()) }
      }
      group.addTask {
        await Bell().loop(every: self.limits.endsEvery, pause: self.limits.endsEvery) {
          await self.noteTold()
          await self.look(besides: holding, tell)
        }
      }
    }
    // This task is cancelled by now, and Redis does nothing for such a one. What follows from the
    // newest may not be done: another node sees to it.
    await Task { await noteTold() }.value
  }

  private func look(
    besides holding: @escaping @Sendable () -> [StreamID], _ tell: @escaping Tell
  ) async {
    guard isSettled() else { return }
    let reply = try? await client.run(
      EndScripts.take, keys: [Self.key],
      arguments: [StreamQuestions.milliseconds(limits.lease), limits.endsAtOnce],
      deadline: limits.deadline)
    let streams = (reply?.array ?? []).compactMap(\.text)
    guard !streams.isEmpty else { return }
    let held = Set(holding())
    await withDiscardingTaskGroup { group in
      for text in streams {
        group.addTask {
          guard let stream = StreamID(text), !stream.isProgram else {
            self.metrics.refused("end")
            return await self.remove(text)
          }
          await self.look(at: stream, isHeld: held.contains(stream), tell)
        }
      }
    }
  }

  /// Whether Redis has been there for so long that all who hold something have said so, and edges
  /// have brought their publishers to other origins.
  private func isSettled() -> Bool {
    state.withLock { $0.connection.age(client.state) }.map {
      $0 >= limits.lease + limits.reconnectWindow
    } ?? false
  }

  private func look(at stream: StreamID, isHeld: Bool, _ tell: Tell) async {
    guard !isHeld, let answer = await ask(stream, telling: 0) else { return }
    switch answer {
    case .gone:
      metrics.looked(atEnd: "gone")
      await remove("\(stream)")
    case .later(let pause):
      metrics.looked(atEnd: "later")
      await postpone(["\(stream)"], by: pause)
    case .ready(let epoch, let owner, let run, let isLeft):
      guard mayHaveEnded(owner, run, isLeft: isLeft) else {
        // It is looked at again when it was taken to be.
        return metrics.looked(atEnd: "kept")
      }
      guard case .tell(let isLeft) = await ask(stream, telling: epoch) else { return }
      metrics.looked(atEnd: "told")
      logger.notice("stream \(stream) has ended: node \(owner), which had it, can't say so")
      await tell(stream, isLeft)
      // Cut short, it is for another one.
      if !Task.isCancelled { state.withLock { remember(stream, isBlind: false, &$0) } }
    case .tell: break
    }
  }

  /// Whether nothing says that a stream lives, though nobody keeps its lease.
  ///
  /// An origin that lives and can't reach Redis may have any stream. Of one that can, what it holds
  /// is kept.
  private func mayHaveEnded(_ owner: NodeID, _ run: String, isLeft: Bool) -> Bool {
    let view = membership.view
    guard view.isCoordinated else { return false }
    for node in view.origins where node.id != view.own {
      guard node.isLost || !(node.isDown || node.isSuspect) else { return false }
    }
    guard let node = view[owner], !node.isLost, node.record.incarnation == run else { return true }
    // Its publisher has gone without Redis hearing of it: it tells the end itself, as it lives.
    return isLeft
  }

  // MARK: Redis

  private enum Answer {
    case gone
    case later(Duration)
    case ready(epoch: Int64, NodeID, run: String, isLeft: Bool)
    case tell(isLeft: Bool)
  }

  private func ask(_ stream: StreamID, telling epoch: Int64) async -> Answer? {
    let reply = try? await run(EndScripts.due, stream, epoch)
    let values = (reply?.array ?? []).compactMap(\.text)
    switch (values.first, values.count) {
    case ("gone", 1): return .gone
    case ("later", 2):
      // What stands in Redis may be anything.
      let most = limits.lease + limits.reconnectWindow + limits.endTelling
      guard let pause = Int64(values[1]) else { return nil }
      return .later(min(most, .milliseconds(max(0, pause))))
    case ("ready", 5):
      guard let epoch = Int64(values[1]), Epoch.isValid(epoch), let owner = NodeID(values[2])
      else { return nil }
      return .ready(epoch: epoch, owner, run: values[3], isLeft: values[4] == "1")
    case ("tell", 2): return .tell(isLeft: values[1] == "1")
    default: return nil
    }
  }

  private func run(
    _ script: RedisScript, _ stream: StreamID, _ number: Int64
  ) async throws(ClusterError) -> RedisValue {
    try await questions.run(
      script, stream, [number, StreamQuestions.milliseconds(limits.endTelling)])
  }
}

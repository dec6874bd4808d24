import EventLoop
import Logging
import Redis
import Synchronization
import Telemetry

/// The streams that this node holds.
///
/// One node at a time holds a stream, as Redis says; while Redis can't be asked, who holds one goes
/// on, since nobody else can take it either, and it is settled when Redis is back.
package final class StreamLeases: Sendable {
  private struct State {
    var leases: [StreamID: Lease] = [:]
    /// Claims under way: a second one of this node would get what the first one gets.
    var claiming: Set<StreamID> = []
    var connection = ConnectionAge()
  }

  /// How many refreshes are under way at a time.
  private static let atOnce = 64

  private let client: RedisClient
  private let events: ClusterEvents
  let membership: Membership
  let questions: StreamQuestions
  private let ends: StreamEnds
  private let limits: ClusterConfiguration
  private let metrics: ClusterMetrics
  private let logger: Logger
  private let state = Mutex(State())
  private let bell = Bell()

  init(
    _ membership: Membership, _ events: ClusterEvents, _ ends: StreamEnds,
    _ configuration: ClusterConfiguration, metrics: ClusterMetrics, logger: Logger
  ) {
    self.ends = ends
    client = events.client
    self.events = events
    self.membership = membership
    limits = configuration
    questions = StreamQuestions(events.client, membership, configuration)
    self.metrics = metrics
    self.logger = logger
    events.observe { [weak self] in self?.observe($0) }
  }

  /// The leases that this node holds, by stream.
  package var held: [StreamID: Lease] { state.withLock { $0.leases } }

  // MARK: Claiming

  /// Claims a stream for this node.
  ///
  /// It is granted where nobody holds it, the holder has gone silent or is gone in the view, the
  /// claim's priority is higher, or it resumes the holder's own epoch.
  ///
  /// - Parameters:
  ///   - stream: which.
  ///   - claim: on which grounds.
  ///   - onLoss: called once, from any thread, when another node has it: publishing must stop.
  /// - Returns: the lease, or who has it.
  /// - Throws: `.unavailable` where Redis can't be asked and the lease may not be provisional,
  ///   `.refused` for a claim out of range.
  package func claim(
    _ stream: StreamID, _ claim: StreamClaim = StreamClaim(),
    onLoss: @escaping @Sendable (LeaseLoss) -> Void
  ) async throws(ClusterError) -> StreamClaim.Outcome {
    guard claim.isValid else { throw .refused("a priority or epoch out of range") }
    let present = state.withLock { state -> StreamClaim.Outcome? in
      if let lease = state.leases[stream] { return .held(by: membership.own, epoch: lease.epoch) }
      guard state.claiming.insert(stream).inserted else {
        return .held(by: membership.own, epoch: claim.floor)
      }
      return nil
    }
    if let present { return present }
    defer { state.withLock { _ = $0.claiming.remove(stream) } }
    let grant: Grant
    do throws(ClusterError) {
      grant = try await ask(stream, claim)
    } catch {
      guard case .unavailable(let cause) = error, cause.canRetry, claim.mayBeProvisional else {
        metrics.claim("failed")
        throw error
      }
      metrics.claim("provisional")
      logger.notice("stream \(stream) goes on without Redis: \(error)")
      return .granted(
        keep(
          Lease(
            stream, epoch: claim.floor + 1, inherited: nil, previousOwner: nil,
            priority: claim.priority, isProvisional: true, onLoss: onLoss)))
    }
    switch grant {
    case .held(let owner, let epoch):
      metrics.claim("held")
      return .held(by: owner, epoch: epoch)
    case .granted(let epoch, let before, let head):
      metrics.claim("granted")
      let lease = Lease(
        stream, epoch: epoch, inherited: head,
        previousOwner: before == membership.own ? nil : before, priority: claim.priority,
        isProvisional: false, onLoss: onLoss)
      _ = keep(lease)
      await announce(lease)
      return .granted(lease)
    }
  }

  private func keep(_ lease: Lease) -> Lease {
    state.withLock { $0.leases[lease.stream] = lease }
    metrics.leases.increment()
    return lease
  }

  private enum Grant {
    case granted(epoch: Int64, before: NodeID?, head: StreamHead?)
    case held(NodeID, epoch: Int64)
  }

  /// Asks Redis, and once more where the holder it names is gone.
  private func ask(_ stream: StreamID, _ claim: StreamClaim) async throws(ClusterError) -> Grant {
    let first = try await ask(stream, claim, over: claim.resumes ?? 0, isGone: false)
    guard case .held(let owner, let epoch) = first, membership.view.isGone(owner) else {
      return first
    }
    logger.notice("stream \(stream) is taken over from node \(owner), which is gone")
    return try await ask(stream, claim, over: epoch, isGone: true)
  }

  private func ask(
    _ stream: StreamID, _ claim: StreamClaim, over epoch: Int64, isGone: Bool
  ) async throws(ClusterError) -> Grant {
    let reply = try await questions.run(
      LeaseScripts.claim, stream, priority: claim.priority,
      [epoch, claim.floor, isEarly() ? 1 : 0, isGone ? 1 : 0])
    let values = (reply.array ?? []).map { $0.text ?? $0.integer.map(String.init) ?? "" }
    if values.count == 3, values[0] == "0", let owner = NodeID(values[1]),
      let epoch = Int64(values[2])
    {
      return .held(owner, epoch: epoch)
    }
    guard values.count == 11, values[0] == "1", let epoch = Int64(values[1]), Epoch.isValid(epoch)
    else { throw .malformed(stream.key) }
    var head = StreamHead(values: Array(values[3...6]))
    if let date = Int64(values[7]), date >= 0 { head?.date = date }
    if let began = Int64(values[10]), began >= 0 { head?.began = began }
    if stream.isProgram { head?.takeCamera(values[8], values[9]) }
    return .granted(epoch: epoch, before: NodeID(values[2]), head: head)
  }

  /// Whether a lease that has expired says nothing yet: Redis may have been away, and its holder,
  /// who went on meanwhile, must have had the time to refresh it.
  ///
  /// Our own first connection counts too: this node may have begun while Redis was away.
  func isEarly() -> Bool {
    state.withLock { $0.connection.age(client.state) }.map { $0 < limits.lease } ?? false
  }

  // MARK: Keeping

  /// Refreshes the leases until the task is cancelled.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        await self.bell.loop(every: self.limits.leaseRefresh) { await self.refreshAll() }
      }
      // Who went on without Redis is the first to say so when it is back.
      group.addTask {
        for await state in self.client.changes where state.isConnected { self.bell.ring() }
      }
    }
  }

  private func refreshAll() async {
    _ = isEarly()
    var rest = state.withLock { Array($0.leases.values) }[...]
    while !rest.isEmpty, client.state.isConnected, !Task.isCancelled {
      let some = rest.prefix(Self.atOnce)
      rest = rest.dropFirst(Self.atOnce)
      await withDiscardingTaskGroup { group in
        for lease in some { group.addTask { _ = try? await self.refresh(lease) } }
      }
    }
  }

  /// A publisher has been admitted under a lease: its stream's end is to be told one day, by
  /// whoever lives then.
  package func goOnAir(_ lease: Lease) {
    ends.goesOn(lease.stream)
    guard lease.goOnAir() else { return }
    // This node may be lost at any moment.
    bell.ring()
    Task { await ends.note([lease.stream]) }
  }

  /// Another publisher goes on under a lease: others must outrank this one.
  package func set(priority: Int, of lease: Lease) {
    // Its edge may lose this node at any moment.
    if lease.set(priority: priority) { bell.ring() }
  }

  /// Writes how far a stream has come, and keeps its lease with it.
  ///
  /// - Parameters:
  ///   - head: never behind the one before.
  ///   - lease: whose stream.
  /// - Returns: whether it is in Redis; where not, it is written as soon as Redis is back.
  /// - Throws: `.notHeld` where another node has the stream: the segment must not be published.
  @discardableResult
  package func publish(_ head: StreamHead, of lease: Lease) async throws(ClusterError) -> Bool {
    guard head.isValid else { throw .refused("the head of \(lease.stream) is out of range") }
    guard lease.isHeld else { throw .notHeld(lease.stream) }
    lease.remember(head)
    do throws(ClusterError) {
      guard try await refresh(lease) else { return false }
    } catch {
      if case .unavailable = error { return false }
      throw error
    }
    try? await events.publish(
      .head(lease.stream, epoch: lease.epoch, sequence: head.sequence, end: head.end))
    return true
  }

  /// Keeps a lease; a loss is told before it returns.
  ///
  /// - Returns: false where it isn't settled yet whose it is: a provisional one, soon after Redis
  ///   has come back.
  /// - Throws: `.notHeld`, or why Redis can't say.
  @discardableResult
  package func refresh(_ lease: Lease) async throws(ClusterError) -> Bool {
    guard lease.isHeld else { throw .notHeld(lease.stream) }
    let (head, asked) = (lease.head(all: false), lease.epoch)
    let reply = try await ask(LeaseScripts.refresh, lease, head)
    let values = reply.array ?? []
    switch values.first?.integer {
    case 1:
      if let head { lease.written(head) }
      lease.confirm(asked)
    case 2:
      // Redis had lost it, or another had taken it with less right.
      if let head { lease.written(head) }
      lease.confirm(asked)
      await restore(lease)
      await announce(lease)
    case 0:
      guard values.count == 3, let owner = values[1].text.flatMap({ NodeID($0) }),
        let epoch = values[2].text.flatMap(Int64.init)
      else { throw .malformed(lease.stream.key) }
      return try await contest(lease, owner, epoch)
    default: throw .malformed(lease.stream.key)
    }
    return true
  }

  /// Writes the whole head again where Redis has lost it.
  private func restore(_ lease: Lease) async {
    guard let head = lease.head(all: true) else { return }
    _ = try? await ask(LeaseScripts.refresh, lease, head)
  }

  /// A lease is another's, as Redis says; one that Redis never knew may still be claimed.
  private func contest(
    _ lease: Lease, _ owner: NodeID, _ epoch: Int64
  ) async throws(ClusterError) -> Bool {
    if lease.isProvisional {
      // Who holds it by right may only now be refreshing it.
      if isEarly(), owner != membership.own { return false }
      let claim = StreamClaim(priority: lease.priority, knownEpoch: lease.epoch)
      if case .granted(let epoch, _, _) = try await ask(lease.stream, claim) {
        lease.confirm(epoch)
        await restore(lease)
        await announce(lease)
        return true
      }
    }
    lose(lease, LeaseLoss(stream: lease.stream, owner: owner, epoch: epoch))
    throw .notHeld(lease.stream)
  }

  private func lose(_ lease: Lease, _ loss: LeaseLoss) {
    forget(lease)
    guard lease.lose(loss) else { return }
    metrics.lost()
    logger.notice("stream \(loss.stream) is node \(loss.owner)'s now, epoch \(loss.epoch)")
  }

  private func forget(_ lease: Lease) {
    let was = state.withLock { state in
      guard state.leases[lease.stream] === lease else { return false }
      state.leases[lease.stream] = nil
      return true
    }
    if was { metrics.leases.decrement() }
  }

  /// Gives a stream up: it has ended, or another node shall go on with it.
  ///
  /// - Parameters:
  ///   - lease: ended from now on, whatever becomes of this.
  ///   - head: the last one, where it isn't written yet.
  package func release(_ lease: Lease, head: StreamHead? = nil) async {
    guard lease.end() else { return }
    forget(lease)
    if let head, head.isValid { lease.remember(head) }
    let last = lease.head(all: false)
    // Where Redis is away, the lease ends by itself.
    guard
      let reply = try? await ask(LeaseScripts.release, lease, last),
      reply.array?.first?.integer == 1
    else { return }
    await announce(lease)
  }

  // MARK: Redis

  private func observe(_ delivery: ClusterEvents.Delivery) {
    guard case .event(.stream(let stream, let owner, let epoch)) = delivery,
      let lease = state.withLock({ $0.leases[stream] })
    else { return }
    // The next run of this node has its name, and a larger epoch. Whether it is true, Redis says.
    if owner == membership.own ? epoch > lease.epoch : epoch >= lease.epoch { bell.ring() }
  }

  private func announce(_ lease: Lease) async {
    try? await events.publish(.stream(lease.stream, owner: membership.own, epoch: lease.epoch))
  }

  /// Asks about a lease, and tells its head.
  private func ask(
    _ script: RedisScript, _ lease: Lease, _ head: StreamHead?
  ) async throws(ClusterError) -> RedisValue {
    let values = head?.values ?? ["", "", "", ""]
    let all: [any RedisCommand.Word] =
      [lease.epoch, head == nil ? 0 : 1] + values
      + [
        head?.date ?? 0, head?.camera ?? "",
        head.flatMap { head in head.shown.map { $0.text(as: head.sequence) } } ?? "",
        head?.began ?? 0, lease.isOnAir ? 1 : 0,
      ]
    return try await questions.run(script, lease.stream, priority: lease.priority, all)
  }
}

import EventLoop
import Redis
import Synchronization
import Telemetry

/// Which node has which stream: known, or looked up once however many ask.
///
/// What is known is kept fresh by the cluster's events, and looked up again now and then. While
/// Redis can't be asked, what was known last goes on being the answer.
package final class StreamDirectory: Sendable {
  private struct Entry: Sendable {
    /// Nil: there is none.
    var owner: StreamOwner?
    /// When Redis said so.
    var time: MonotonicTime
    /// Whether an event has said that it is otherwise by now.
    var isOutdated = false
    /// Since when Redis names a smaller epoch, or none: it has lost its data, or is another one.
    var forgotten: MonotonicTime?
    /// When it was last asked for, as a running number.
    var use: UInt64 = 0
  }

  private typealias Answer = Result<StreamOwner?, ClusterError>

  private struct State {
    var entries: [StreamID: Entry] = [:]
    var lookUps: [StreamID: Task<Answer, Never>] = [:]
    var uses: UInt64 = 0
    /// Redis has just not answered; until then it isn't asked again.
    var failure: (error: ClusterError, until: MonotonicTime)?
  }

  private let client: RedisClient
  private let membership: Membership
  private let limits: ClusterConfiguration
  private let metrics: ClusterMetrics
  private let state = Mutex(State())

  init(
    _ membership: Membership, _ events: ClusterEvents, _ configuration: ClusterConfiguration,
    metrics: ClusterMetrics
  ) {
    client = events.client
    self.membership = membership
    limits = configuration
    self.metrics = metrics
    events.observe { [weak self] in self?.observe($0) }
  }

  // MARK: Asking

  /// Which node has a stream.
  ///
  /// What was known a while ago is the answer at once, and is looked up beside it; what an event
  /// has called outdated is looked up first.
  ///
  /// - Parameter stream: which.
  /// - Returns: nil where nobody has it, as Redis says or said within `absentAge`.
  /// - Throws: `.unavailable` where Redis can't be asked and nothing was known, `.malformed`.
  package func owner(of stream: StreamID) async throws(ClusterError) -> StreamOwner? {
    let now = MonotonicTime.now
    let (known, task) = state.withLock { state -> (Answer?, Task<Answer, Never>?) in
      state.uses += 1
      state.entries[stream]?.use = state.uses
      let entry = state.entries[stream]
      if let entry, isFresh(entry, at: now) { return (.success(entry.owner), nil) }
      if let failure = state.failure, now < failure.until {
        // It has just not answered: nobody waits for it again so soon.
        return (entry.map { .success($0.owner) } ?? .failure(failure.error), nil)
      }
      let task =
        state.lookUps[stream]
        ?? Task { [weak self] in
          await self?.lookUp(stream) ?? .failure(.unavailable(.closed))
        }
      state.lookUps[stream] = task
      if let entry, let owner = entry.owner, !entry.isOutdated { return (.success(owner), nil) }
      return (nil, task)
    }
    if let known {
      metrics.lookUp("known")
      return try known.get()
    }
    return try await task?.value.get()
  }

  /// Which node has a stream as far as is known here, without asking anybody.
  package func known(_ stream: StreamID) -> StreamOwner? {
    state.withLock { $0.entries[stream]?.owner }
  }

  /// Whether Redis has not answered when it was asked last: who has a stream by now isn't known.
  package var isSilent: Bool { state.withLock { $0.failure != nil } }

  /// Whether what a node tells of a stream must not be taken, as far as is known here.
  ///
  /// - Parameters:
  ///   - epoch: under which it is told; nil: the node has no lease of it.
  ///   - stream: which.
  ///   - address: of the node, for other nodes' HTTP.
  /// - Returns: true for a smaller epoch than the holder's, and for none where another node holds
  ///   it.
  package func isStale(
    _ epoch: Int64?, of stream: StreamID, toldAt address: String
  ) -> Bool {
    guard let owner = known(stream) else { return false }
    if let epoch { return epoch < owner.epoch }
    guard owner.isLive, let record = membership.view[owner.node]?.record else { return false }
    return record.addresses.http != address
  }

  private func isFresh(_ entry: Entry, at now: MonotonicTime) -> Bool {
    !entry.isOutdated
      && now - entry.time < (entry.owner == nil ? limits.absentAge : limits.directoryAge)
  }

  // MARK: Looking up

  private func lookUp(_ stream: StreamID) async -> Answer {
    // An event that comes while Redis is asked makes the answer outdated, not fresh.
    let wasOutdated = state.withLock { state in
      defer { state.entries[stream]?.isOutdated = false }
      return state.entries[stream]?.isOutdated ?? false
    }
    var answer: Answer
    do throws(ClusterError) {
      let record = try await StreamRecord.of(stream, client, limits)
      metrics.lookUp("looked_up")
      answer = .success(take(record, of: stream))
    } catch {
      if case .malformed = error { metrics.refused("stream") }
      answer = failed(stream, error, wasOutdated)
    }
    state.withLock { $0.lookUps[stream] = nil }
    return answer
  }

  /// What is known stays the answer where Redis has none, or none of ours.
  private func failed(_ stream: StreamID, _ error: ClusterError, _ wasOutdated: Bool) -> Answer {
    let known = state.withLock { state in
      if case .unavailable = error {
        state.failure = (error, MonotonicTime.now + limits.absentAge)
      }
      if wasOutdated { state.entries[stream]?.isOutdated = true }
      return state.entries[stream]
    }
    metrics.lookUp(known == nil ? "failed" : "stale")
    return known.map { .success($0.owner) } ?? .failure(error)
  }

  private func take(_ record: StreamRecord?, of stream: StreamID) -> StreamOwner? {
    let found = record.map {
      StreamOwner(
        node: $0.owner, epoch: $0.epoch, isLive: $0.isHeld, hasEnded: $0.hasEnded, head: $0.head)
    }
    let now = MonotonicTime.now
    return state.withLock { state in
      state.failure = nil
      var entry = state.entries[stream] ?? Entry(owner: found, time: now)
      entry.time = now
      if let known = entry.owner, (found?.epoch ?? 0) < known.epoch, !known.hasEnded {
        // Redis has forgotten the epoch that is known: its holder takes the stream back at its next
        // refresh, or is gone.
        let since = entry.forgotten ?? now
        if now - since > limits.lease || membership.view.isGone(known.node) {
          entry.owner = found
          entry.forgotten = nil
        } else {
          entry.forgotten = since
          entry.isOutdated = true
        }
      } else {
        entry.owner = found
        entry.forgotten = nil
      }
      state.uses += 1
      entry.use = state.uses
      makeRoom(&state)
      state.entries[stream] = entry
      return entry.owner
    }
  }

  /// Drops an eighth of the entries, those that were asked for the longest ago, where it is full.
  private func makeRoom(_ state: inout State) {
    guard state.entries.count >= max(8, limits.directoryEntries) else { return }
    let uses = state.entries.values.map(\.use).sorted()
    let bound = uses[uses.count / 8]
    state.entries = state.entries.filter { $0.value.use > bound }
  }

  // MARK: Events

  private func observe(_ delivery: ClusterEvents.Delivery) {
    state.withLock { state in
      switch delivery {
      case .event(.stream(let stream, _, _)): state.entries[stream]?.isOutdated = true
      case .event(.head(let stream, let epoch, let sequence, let end)):
        guard var owner = state.entries[stream]?.owner, owner.epoch == epoch else { return }
        guard var head = owner.head else {
          // The first one: all of it is in the record.
          state.entries[stream]?.isOutdated = true
          return
        }
        if sequence > head.sequence {
          head.sequence = sequence
          head.end = end
        }
        owner.head = head
        state.entries[stream]?.owner = owner
      case .missed:
        for stream in state.entries.keys { state.entries[stream]?.isOutdated = true }
      case .event: break
      }
    }
  }
}

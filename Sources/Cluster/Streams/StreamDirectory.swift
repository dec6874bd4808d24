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
    /// An owner with a smaller epoch that Redis names, and since when: Redis has lost its data, or
    /// is another one.
    var rival: (owner: StreamOwner, since: MonotonicTime)?
    /// When it was last asked for, as a running number.
    var use: UInt64 = 0
  }

  private typealias Answer = Result<StreamOwner?, ClusterError>

  private struct State {
    var entries: [StreamID: Entry] = [:]
    var lookUps: [StreamID: Task<Answer, Never>] = [:]
    var uses: UInt64 = 0
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
  /// - Parameter stream: which.
  /// - Returns: nil where nobody has it, as Redis says or said within `absentAge`.
  /// - Throws: `.unavailable` where Redis can't be asked and nothing was known, `.malformed`.
  package func owner(of stream: StreamID) async throws(ClusterError) -> StreamOwner? {
    let now = MonotonicTime.now
    let (fresh, task) = state.withLock { state -> (Entry?, Task<Answer, Never>?) in
      state.uses += 1
      state.entries[stream]?.use = state.uses
      if let entry = state.entries[stream], isFresh(entry, at: now) { return (entry, nil) }
      if let task = state.lookUps[stream] { return (nil, task) }
      let task = Task { await self.lookUp(stream) }
      state.lookUps[stream] = task
      return (nil, task)
    }
    if let fresh {
      metrics.lookUp("known")
      return fresh.owner
    }
    return try await task?.value.get()
  }

  /// Which node has a stream as far as is known here, without asking anybody.
  package func known(_ stream: StreamID) -> StreamOwner? {
    state.withLock { $0.entries[stream]?.owner }
  }

  /// Whether an epoch is behind one that is known: what comes under it must not be taken.
  package func isStale(_ epoch: Int64, of stream: StreamID) -> Bool {
    known(stream).map { epoch < $0.epoch } ?? false
  }

  private func isFresh(_ entry: Entry, at now: MonotonicTime) -> Bool {
    !entry.isOutdated
      && now - entry.time < (entry.owner == nil ? limits.absentAge : limits.directoryAge)
  }

  // MARK: Looking up

  private func lookUp(_ stream: StreamID) async -> Answer {
    // An event that comes while Redis is asked makes the answer outdated, not fresh.
    state.withLock { $0.entries[stream]?.isOutdated = false }
    let answer: Answer
    do throws(ClusterError) {
      let record = try await StreamRecord.of(stream, client, limits)
      metrics.lookUp("looked_up")
      answer = .success(take(record, of: stream))
    } catch {
      let known = state.withLock { $0.entries[stream] }
      if let known, case .unavailable = error {
        metrics.lookUp("stale")
        answer = .success(known.owner)
      } else {
        if case .malformed = error { metrics.refused("stream") }
        metrics.lookUp("failed")
        answer = .failure(error)
      }
    }
    state.withLock { $0.lookUps[stream] = nil }
    return answer
  }

  private func take(_ record: StreamRecord?, of stream: StreamID) -> StreamOwner? {
    let found = record.map {
      StreamOwner(
        node: $0.owner, epoch: $0.epoch, isLive: $0.isHeld, hasEnded: $0.hasEnded, head: $0.head)
    }
    let now = MonotonicTime.now
    return state.withLock { state in
      var entry = state.entries[stream] ?? Entry(owner: found, time: now)
      entry.time = now
      if let known = entry.owner, let found, found.epoch < known.epoch {
        // Redis has forgotten the epoch that is known: its holder takes the stream back at its next
        // refresh, or is gone.
        let since = entry.rival.map { $0.owner.epoch == found.epoch ? $0.since : now } ?? now
        entry.rival = (found, since)
        if now - since > limits.lease || membership.view.isGone(known.node) {
          entry.owner = found
          entry.rival = nil
        } else {
          entry.isOutdated = true
        }
      } else {
        entry.owner = found
        entry.rival = nil
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
      case .event(.head(let stream, let epoch, let sequence)):
        guard var owner = state.entries[stream]?.owner, owner.epoch == epoch,
          var head = owner.head, head.sequence < sequence
        else { return }
        head.sequence = sequence
        owner.head = head
        state.entries[stream]?.owner = owner
      case .missed:
        for stream in state.entries.keys { state.entries[stream]?.isOutdated = true }
      case .event: break
      }
    }
  }
}

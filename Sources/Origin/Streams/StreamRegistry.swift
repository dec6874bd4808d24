import Bytes
import EventLoop
package import HLS
package import Media
package import RTMP

/// Who publishes what on this node: each stream has at most one publisher, and outlives it for the
/// reconnect window.
///
/// It is the lease of a single node: a claim is granted, moved or refused here and nowhere else.
/// A stream that is over is kept a while longer, for those who have still to see its end; a claim
/// within that time goes on in it.
package actor StreamRegistry {
  /// How long a holder may be silent before anybody else with a valid token may take its stream.
  private static let silence = Duration.seconds(5)
  /// More takeovers than these within the period are a fight: the stream then stays where it is.
  private static let takeovers = 4
  private static let takeoverPeriod = Duration.seconds(30)

  private struct Entry {
    let box: LiveStreamBox
    var holder: Publisher?
    /// Counts claims; what was meant for an older one is ignored.
    var epoch: UInt64 = 0
    var wasPublished = false
    /// Under which lease of the cluster's; nil without one.
    var lease: Int64?
    /// Under which grant its holder had it at another node, or before its connection here was lost.
    var resumed: StreamGrant?
    /// The claim whose publisher the backend has admitted last.
    var confirmed: UInt64 = 0
    /// Its playlist has ended, or another process has it.
    var isOver = false
    /// Another process of the node has it.
    var isYielded = false
    /// When its last publisher who was admitted left, or when it was over since.
    var restingSince = MonotonicTime.now
    var takeovers: [MonotonicTime] = []
    var aging: Task<Void, Never>?

    /// Whether it is one of those that are limited in number.
    var isOpen: Bool { holder != nil || !isOver }

    /// Whether viewers would miss the holder.
    var isOnAir: Bool { holder != nil && confirmed == epoch }
  }

  private var entries: [StreamKey: Entry] = [:]
  private var nextEpoch: UInt64 = 1
  private var opening = 0
  private var busy: Set<StreamKey> = []
  private var waiting: [StreamKey: [CheckedContinuation<Void, Never>]] = [:]
  private let limits: Limits
  private let run = RandomName.make(8)
  private let hasMemory: @Sendable () -> Bool
  private let open: @Sendable (StreamKey, WindowState?, ProgramPlace?) async -> LiveStreamBox
  private let close: @Sendable (StreamKey, _ wasPublished: Bool) async -> Void
  private let isElsewhere: @Sendable (StreamKey, WindowState) async -> Bool?
  private let hasEnded: @Sendable (StreamKey) -> Void

  /// Makes an empty registry.
  ///
  /// - Parameters:
  ///   - limits: how long streams are kept, and how many.
  ///   - hasMemory: asked before there is one stream more.
  ///   - open: makes a stream that nobody publishes yet, with the numbers it goes on from; never
  ///     below those that another node had. It is told how far the program of the wedding has come,
  ///     where its publisher's edge knows.
  ///   - close: called when a stream is forgotten; it is not opened again before this returns. It
  ///     is told whether anybody has published it, or only asked to.
  ///   - isElsewhere: whether another node or process has a stream, or has had it since, and tells
  ///     its end; nil where nobody can tell.
  ///   - hasEnded: told once a stream's end has been told here.
  package init(
    limits: Limits, hasMemory: @escaping @Sendable () -> Bool = { true },
    open: @escaping @Sendable (StreamKey, WindowState?, ProgramPlace?) async -> LiveStreamBox,
    close: @escaping @Sendable (StreamKey, _ wasPublished: Bool) async -> Void,
    isElsewhere: @escaping @Sendable (StreamKey, WindowState) async -> Bool? = { _, _ in nil },
    hasEnded: @escaping @Sendable (StreamKey) -> Void = { _ in }
  ) {
    self.isElsewhere = isElsewhere
    self.hasEnded = hasEnded
    self.limits = limits
    self.hasMemory = hasMemory
    self.open = open
    self.close = close
  }

  /// How many streams there are, with a publisher or waiting for one.
  package var count: Int { entries.values.count { $0.isOpen } }

  /// The publisher that holds a stream now.
  package func holder(of key: StreamKey) -> Publisher? { entries[key]?.holder }

  // MARK: Claims

  /// Grants a stream to a publisher, which has it until `release` or until it is taken over.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - publisher: who wants it.
  ///   - isAdmitted: whether the backend has said yes; without that nobody is pushed off the air.
  ///   - state: how far the stream has come, as the cluster knows.
  ///   - wasOurs: whether it was this node's last. Else another one has brought it on since, and
  ///     what is left of it here is forgotten.
  ///   - lease: the number of the cluster's; nil without one.
  ///   - resumed: under which grant the publisher had it before, as its edge has proved.
  ///   - program: how far the one of its wedding has come, as that edge knows.
  ///   - left: which broadcast the process before this one has left with it: it waits for its
  ///     publisher here also where this one isn't admitted.
  /// - Returns: the stream, to be attached to the publisher's loop and nowhere else.
  /// - Throws: `ClaimRefusal` when another publisher keeps it; `.onAir` when it could be taken over
  ///   by an admitted one.
  package func claim(
    _ key: StreamKey, by publisher: Publisher, isAdmitted: Bool = true,
    after state: WindowState? = nil, wasOurs: Bool = false, lease: Int64? = nil,
    resumed: StreamGrant? = nil, program: ProgramPlace? = nil, left: Broadcast? = nil
  ) async throws(ClaimRefusal) -> Claim {
    await enter(key)
    defer { leave(key) }
    // Its publisher is on the way to the process that has it now.
    if entries[key]?.isYielded == true { throw .unavailable }
    try room(for: key)
    try await takeOver(key, by: publisher, isAdmitted: isAdmitted, resumed: resumed)
    if state != nil, !wasOurs, let entry = entries[key], entry.holder == nil {
      entry.aging?.cancel()
      await forget(key)
    }
    if entries[key] == nil {
      opening += 1
      let box = await open(key, state, program)
      opening -= 1
      entries[key] = Entry(box: box)
      if let left {
        box.stream.expect(left)
        entries[key]?.wasPublished = true
      }
    }
    guard var entry = entries[key] else { throw .unavailable }
    entry.aging?.cancel()
    entry.aging = nil
    entry.holder = publisher
    entry.epoch = nextEpoch
    entry.lease = lease
    entry.resumed = resumed
    nextEpoch += 1
    entries[key] = entry
    return claim(key, entry)
  }

  /// Whether a stream may begin here, as far as that can be said before anybody is sent away for
  /// it.
  ///
  /// - Throws: `.full` or `.noMemory` where it is one too many.
  func room(for key: StreamKey) throws(ClaimRefusal) {
    guard entries[key]?.isOpen != true else { return }
    guard count + opening < limits.streams else { throw .full }
    guard hasMemory() else { throw .noMemory }
  }

  /// Leaves a stream to the next process of this node, once; what there is of it can still be
  /// fetched for a while.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - publisher: who wants it there.
  ///   - isAdmitted: whether the backend has said yes; without that nobody is pushed off the air.
  /// - Returns: how far it has come, and which broadcast is left with it, none where that has ended
  ///   or nothing was on the air; nil where there is no such stream, or it was left before: the
  ///   other process has brought it on since.
  /// - Throws: `ClaimRefusal` where its holder keeps it; `.onAir` when it could be taken over by an
  ///   admitted one.
  func yield(
    _ key: StreamKey, to publisher: Publisher, isAdmitted: Bool = true
  ) async throws(ClaimRefusal) -> (state: WindowState, broadcast: Broadcast?)? {
    await enter(key)
    defer { leave(key) }
    guard entries[key]?.isYielded == false else { return nil }
    try await takeOver(key, by: publisher, isAdmitted: isAdmitted)
    guard var entry = entries[key] else { return nil }
    entry.aging?.cancel()
    entry.epoch = nextEpoch
    nextEpoch += 1
    let claim = claim(key, entry)
    entry.aging = Task { [limits] in
      try? await Task.sleep(for: limits.afterYield)
      await self.forget(claim)
    }
    let isLeft = entry.wasPublished && !entry.isOver
    entry.isOver = true
    entry.isYielded = true
    entries[key] = entry
    entry.box.stream.handOver()
    return (entry.box.stream.state, isLeft ? entry.box.stream.broadcast : nil)
  }

  /// The backend has admitted the claim's publisher, so the stream is a real one from now on.
  ///
  /// - Returns: false where somebody else has taken it meanwhile.
  package func confirm(_ claim: Claim) -> Bool {
    guard let entry = entries[claim.key], entry.epoch == claim.epoch, entry.holder != nil else {
      return false
    }
    entries[claim.key]?.wasPublished = true
    entries[claim.key]?.confirmed = claim.epoch
    entries[claim.key]?.isOver = false
    return true
  }

  /// Gives a stream back, detached from its loop: it ends after the reconnect window.
  ///
  /// A claim that has been taken over meanwhile changes nothing. A stream that was never confirmed
  /// goes without a trace, and one whose publisher is refused ends when it was to end before.
  package func release(_ claim: Claim) async {
    await enter(claim.key)
    defer { leave(claim.key) }
    guard let entry = entries[claim.key], entry.epoch == claim.epoch, entry.holder != nil else {
      return
    }
    entries[claim.key]?.holder = nil
    guard entry.wasPublished else { return await forget(claim.key) }
    let since = entry.isOnAir ? .now : entry.restingSince
    entries[claim.key]?.restingSince = since
    let rested = MonotonicTime.now - since
    entries[claim.key]?.aging = Task { [limits] in
      if !entry.isOver {
        guard await self.tidy(claim, for: limits.reconnectWindow - rested) else { return }
        await self.expire(claim)
      }
      let over = entry.isOver ? rested : .zero
      guard await self.tidy(claim, for: limits.afterEnd - over) else { return }
      await self.forget(claim)
    }
  }

  private func claim(_ key: StreamKey, _ entry: Entry) -> Claim {
    Claim(key: key, epoch: entry.epoch, turn: turn(entry), box: entry.box)
  }

  private func turn(_ entry: Entry) -> StreamGrant.Turn {
    StreamGrant.Turn(run: run, number: Int64(clamping: entry.epoch))
  }

  private enum Order { case earlier, later, unknown }

  /// Whether a publisher that goes on was granted the stream before or after its holder.
  ///
  /// Two edges may have two of them, of one lease of an origin that is lost: the one that came last
  /// has the stream, whichever of the edges is faster.
  private func order(_ resumed: StreamGrant?, _ entry: Entry) -> Order {
    guard let resumed, let lease = entry.lease else { return .unknown }
    let current = StreamGrant(epoch: lease, turn: turn(entry))
    guard resumed.epoch < lease else { return resumed.isBefore(current) ? .earlier : .unknown }
    // A holder that resumes nothing came under this lease.
    guard let before = entry.resumed else { return .earlier }
    if resumed.isBefore(before) { return .earlier }
    return before.isBefore(resumed) ? .later : .unknown
  }

  /// Detaches the stream from its holder's loop, or throws where the holder keeps it.
  private func takeOver(
    _ key: StreamKey, by publisher: Publisher, isAdmitted: Bool, resumed: StreamGrant? = nil
  ) async throws(ClaimRefusal) {
    guard let entry = entries[key], let holder = entry.holder else { return }
    let recent = entry.takeovers.filter { MonotonicTime.now - $0 < Self.takeoverPeriod }
    let order = order(resumed, entry)
    let isSame = holder.tokenID == publisher.tokenID && order != .earlier
    let outranks =
      publisher.priority > holder.priority
      || (order == .later && publisher.priority == holder.priority)
    let isFight = recent.count >= Self.takeovers
    // Whoever is silent fights nobody, and neither does who outranks the other.
    let isSilent =
      (isSame && !isFight) || outranks ? false : await holder.isSilent(for: Self.silence)
    guard isSame || outranks || isSilent else { throw .taken }
    guard !isFight || outranks || isSilent else { throw .contested }
    // An answer of the backend may come late: of one encoder's connections the last one counts,
    // which here is the one that was heard of last where nobody knows better.
    guard !isSame || order == .later || holder.id < publisher.id else { throw .superseded }
    guard isAdmitted || !entry.isOnAir else { throw .onAir }
    await holder.evict()
    entries[key]?.holder = nil
    if entry.isOnAir { entries[key]?.restingSince = .now }
    entries[key]?.takeovers = outranks || isSilent ? recent : recent + [.now]
  }

  // MARK: Streams without a publisher

  /// Lets go of old segments now and then; false where somebody has claimed the stream.
  private func tidy(_ claim: Claim, for duration: Duration) async -> Bool {
    var left = duration
    while left > .zero {
      let nap = min(left, max(limits.tidying, .milliseconds(1)))
      left -= nap
      try? await Task.sleep(for: nap)
      if Task.isCancelled { return false }
      let isIdle = await whileIdle(claim) { $0.stream.expire() }
      if !isIdle { return false }
    }
    return true
  }

  /// Ends a stream whose publisher has not come back; where another node or process has it, or has
  /// had it since, only what there is of it here: its end is for that one to tell.
  private func expire(_ claim: Claim) async {
    var state = WindowState()
    var wasTaken = false
    let isIdle = await whileIdle(claim) {
      state = $0.stream.state
      wasTaken = $0.stream.isElsewhere
    }
    guard isIdle else { return }
    // Nobody who comes now waits for the answer.
    let isElsewhere = await isElsewhere(claim.key, state) ?? wasTaken
    await whileIdle(claim) {
      if isElsewhere {
        $0.stream.handOver()
      } else {
        $0.stream.end()
        hasEnded(claim.key)
      }
      entries[claim.key]?.isOver = true
      entries[claim.key]?.restingSince = .now
    }
  }

  private func forget(_ claim: Claim) async {
    await enter(claim.key)
    defer { leave(claim.key) }
    guard isIdle(claim) else { return }
    await forget(claim.key)
  }

  private func forget(_ key: StreamKey) async {
    let entry = entries.removeValue(forKey: key)
    entry?.box.stream.forget()
    await close(key, entry?.wasPublished ?? false)
  }

  /// What there is to see of a stream.
  enum Glimpse<Value: Sendable>: Sendable {
    case seen(Value)
    /// Its publisher's loop has it, or it is on its way.
    case elsewhere
    case nothing
  }

  /// Looks at a stream where nobody publishes it now.
  ///
  /// It does not wait: who changes the stream may wait for who looks.
  func glimpse<Value: Sendable>(
    _ key: StreamKey, _ look: @Sendable (LiveStream) -> Value
  ) -> Glimpse<Value> {
    guard let entry = entries[key] else { return .nothing }
    guard entry.holder == nil, !busy.contains(key) else { return .elsewhere }
    return .seen(look(entry.box.stream))
  }

  private func isIdle(_ claim: Claim) -> Bool {
    guard let entry = entries[claim.key] else { return false }
    return entry.epoch == claim.epoch && entry.holder == nil
  }

  /// Does something with a stream that nobody has claimed since; false where somebody has.
  @discardableResult
  private func whileIdle(_ claim: Claim, _ body: (LiveStreamBox) -> Void) async -> Bool {
    await enter(claim.key)
    defer { leave(claim.key) }
    guard isIdle(claim) else { return false }
    body(claim.box)
    return true
  }

  // MARK: Order

  // One claim or release of a stream at a time: the actor alone would let others in at each await.

  private func enter(_ key: StreamKey) async {
    while busy.contains(key) {
      await withCheckedContinuation { waiting[key, default: []].append($0) }
    }
    busy.insert(key)
  }

  private func leave(_ key: StreamKey) {
    busy.remove(key)
    for continuation in waiting.removeValue(forKey: key) ?? [] { continuation.resume() }
  }
}

package import HLS
package import Logging
package import Media
package import Store

/// Keeps in the store where each stream's numbers go on, a block ahead of those in use.
///
/// Streams hand their state over and go on; a store that is slow or full costs them nothing. What
/// it could not be told it is told again, with the next segment; that it fails is said once. No
/// call waits for a store that does not answer: what it was asked may still come to be.
package actor StreamLedger {
  private struct Run {
    var next: StreamNumbers.Position
    var lastPTS: Int64?
    /// What the store has reserved; nil where it has never answered.
    var kept: StreamNumbers?
    var isAsking = false
    var isFailing = false
    /// Whether the stream has ended, and nobody expects it back.
    var isOver = false
    /// When it went on the air, in milliseconds since 1970; nil where it hasn't.
    var began: Int64?

    /// Whether the store is to be told something now.
    var hasNews: Bool { isLow || kept?.isOver != isOver || kept?.began != began }

    /// Whether half of the block is used.
    var isLow: Bool {
      guard var kept else { return true }
      kept.next = next
      return kept.isLow
    }
  }

  /// How often streams that nobody publishes any more are looked for.
  private static let sweepMilliseconds: Int64 = 86_400_000

  let store: any StreamNumberStore
  private let logger: Logger
  private let remembered: Duration
  let patience: Duration
  private let lastAlive: Int64?
  private var runs: [StreamKey: Run] = [:]
  private var sweptAt: Int64?

  /// Makes a ledger.
  ///
  /// - Parameters:
  ///   - store: where the numbers are kept.
  ///   - logger: hears of what the store can't do.
  ///   - remembered: how long a stream's numbers are kept after it was published last.
  ///   - patience: how long a call waits for the store.
  ///   - lastAlive: when the process before this one was alive last, in milliseconds since 1970;
  ///     nil where that isn't known.
  package init(
    store: any StreamNumberStore, logger: Logger, remembered: Duration = .seconds(30 * 86_400),
    patience: Duration = .seconds(2), lastAlive: Int64? = nil
  ) {
    self.lastAlive = lastAlive
    self.patience = patience
    self.store = store
    self.logger = logger
    self.remembered = remembered
  }

  /// Where a stream goes on whose numbers nobody can say: at the clock's seconds.
  ///
  /// No stream ever had as many segments, so players see them go up.
  static var beyondAll: WindowState {
    let seconds = max(0, Int(StreamOutlet.wallClockMilliseconds / 1_000))
    return WindowState(nextSequence: seconds, discontinuitySequence: seconds)
  }

  /// Starts a run of a stream.
  ///
  /// - Returns: where its numbers go on; `beyondAll` where the store can't say.
  package func begin(_ key: StreamKey) async -> WindowState {
    var run: Run
    do throws(StoreError) {
      let name = name(key)
      let numbers = try await waiting(atMost: patience) { [store] () async throws(StoreError) in
        try await store.begin(name, now: StreamOutlet.wallClockMilliseconds)
      }
      run = Run(next: numbers.next, lastPTS: numbers.lastPTS, kept: numbers)
      run.began = numbers.began
    } catch {
      logger.error(
        "stream numbers unknown", metadata: ["stream": "\(key)", "error": "\(error)"])
      let clock = Self.beyondAll
      let number = UInt64(clock.nextSequence)
      run = Run(next: StreamNumbers.Position(sequence: number, discontinuity: number))
      run.isFailing = true
    }
    runs[key] = run
    Task { await forgetOld(now: StreamOutlet.wallClockMilliseconds) }
    return WindowState(
      nextSequence: Int(clamping: run.next.sequence),
      discontinuitySequence: Int(clamping: run.next.discontinuity),
      endTime: MediaTime(ticks: run.lastPTS ?? 0))
  }

  /// Whether somebody publishes a stream here, or asks to, or it waits for its publisher.
  func isRunning(_ key: StreamKey) -> Bool { runs[key] != nil }

  /// Which broadcast a stream goes on with whose run has just begun.
  ///
  /// - Parameters:
  ///   - key: of the stream.
  ///   - known: what another node has said of it.
  /// - Returns: that, or else what the process before this one had on the air; nil where it had
  ///   nothing, or that isn't known.
  func broadcast(_ key: StreamKey, unless known: Broadcast? = nil) -> Broadcast? {
    if let known { return known }
    guard let began = runs[key]?.began, let lastAlive else { return nil }
    return Broadcast(began: began, last: lastAlive)
  }

  /// Starts a run of a stream that another node, or another process of this one, has had.
  ///
  /// What is reserved here is ahead of what was used, after a crash or beside another process: it
  /// doesn't count. Viewers would see a hole of that many numbers, and lose what is listed.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - inherited: how far it has come, as its last holder has said, which may be nowhere; nil
  ///     where nobody knows.
  /// - Returns: where its numbers go on: after that state, unless this node was further by more
  ///   than it reserves.
  func begin(_ key: StreamKey, inheriting inherited: WindowState?) async -> WindowState {
    var state = await begin(key)
    guard let inherited else { return state }
    let isKnownHere = runs[key]?.kept != nil
    let isAhead =
      state.nextSequence - inherited.nextSequence > Int(StreamNumbers.blockSegments)
    if isKnownHere, isAhead { return state }
    state.nextSequence = inherited.nextSequence
    state.discontinuitySequence = inherited.discontinuitySequence
    state.endDate = max(state.endDate, inherited.endDate)
    let place = StreamNumbers.Position(
      sequence: UInt64(max(0, inherited.nextSequence)),
      discontinuity: UInt64(max(0, inherited.discontinuitySequence)))
    runs[key]?.next = place
    // From there, or what is reserved would be further ahead with each crash.
    runs[key]?.kept?.limits = place
    await note(key, state)
    return state
  }

  /// Starts a run of a stream that goes on from another one: no number of that comes again.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - other: whose numbers its own are not to be below; nil for none.
  /// - Returns: where its numbers go on.
  func begin(_ key: StreamKey, after other: StreamKey?) async -> WindowState {
    var state = await begin(key)
    guard let other else { return state }
    var next = runs[other]?.next
    if next == nil {
      next = try? await waiting(atMost: patience) { [store] () async throws(StoreError) in
        try await store.numbers(StreamNumbers.Name(wedding: other.wedding, camera: other.camera))
      }?.next
    }
    guard let next, next.sequence > state.nextSequence else { return state }
    state.nextSequence = Int(clamping: next.sequence)
    state.discontinuitySequence = max(
      state.discontinuitySequence, Int(clamping: next.discontinuity))
    await note(key, state)
    return state
  }

  /// The streams that may have been on the air a while ago: they have begun or gone on since, and
  /// are not over.
  ///
  /// - Parameters:
  ///   - fragment: how long a segment is.
  ///   - while: how long ago; a stream that goes on is written once in so many segments.
  ///   - now: milliseconds since 1970.
  /// - Returns: none where the store can't say.
  package func recent(
    fragment: Duration, within while: Duration,
    now: Int64 = StreamOutlet.wallClockMilliseconds
  ) async -> Set<StreamKey> {
    let time = now - Self.age(fragment, `while`)
    do throws(StoreError) {
      let names = try await waiting(atMost: patience) { [store] () async throws(StoreError) in
        try await store.recent(since: time, atMost: Self.mostRecent)
      }
      return Set(names.compactMap { StreamKey(wedding: $0.wedding, camera: $0.camera) })
    } catch {
      logger.warning("who was on the air isn't known", metadata: ["error": "\(error)"])
      return []
    }
  }

  static let mostRecent = 10_000

  /// How old the last record of a stream may be that was on the air a while ago, in milliseconds.
  private static func age(_ fragment: Duration, _ while: Duration) -> Int64 {
    Int64((fragment * Int(StreamNumbers.blockSegments) + `while`) / .milliseconds(1))
  }

  /// Whether streams that have not begun here may have been on the air a while ago: see `recent`.
  ///
  /// - Returns: false where the store can't say.
  func wereOnAir(
    _ keys: [StreamKey], fragment: Duration, within while: Duration,
    now: Int64 = StreamOutlet.wallClockMilliseconds
  ) async -> Bool {
    let (names, time) = (keys.map(name), now - Self.age(fragment, `while`))
    let known = try? await waiting(atMost: patience) { [store] () async throws(StoreError) in
      var known = 0
      for name in names {
        guard let numbers = try await store.numbers(name), !numbers.isOver, numbers.updated >= time
        else { break }
        known += 1
      }
      return known
    }
    return known == names.count
  }

  /// Once a day, forgets the numbers of streams that nobody has published for long.
  ///
  /// - Parameter now: milliseconds since 1970.
  func forgetOld(now: Int64) async {
    if let sweptAt, now < sweptAt + Self.sweepMilliseconds { return }
    sweptAt = now
    do throws(StoreError) {
      let count = try await store.forget(
        before: now - remembered.components.seconds * 1_000, keeping: Set(runs.keys.map(name)))
      if count > 0 { logger.info("stream numbers forgotten", metadata: ["streams": "\(count)"]) }
    } catch {
      logger.warning("old stream numbers not forgotten", metadata: ["error": "\(error)"])
    }
  }

  /// Notes how far a stream has come; reserves the next block where this one is half used.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - state: after its last segment.
  ///   - began: when it went on the air, in milliseconds since 1970; nil where it is as it was.
  package func note(_ key: StreamKey, _ state: WindowState, began: Int64? = nil) async {
    guard var run = runs[key] else { return }
    run.began = began ?? run.began
    let sequence = UInt64(max(0, state.nextSequence))
    if sequence > run.next.sequence { run.isOver = false }
    // Notes may overtake each other on their way here.
    run.next.sequence = max(run.next.sequence, sequence)
    run.next.discontinuity = max(
      run.next.discontinuity, UInt64(max(0, state.discontinuitySequence)))
    run.lastPTS = max(run.lastPTS ?? 0, state.endTime.ticks)
    runs[key] = run
    await tell(key)
  }

  /// Notes that a stream is over: a process that comes after this one doesn't expect its publisher.
  ///
  /// Where more of it comes all the same it goes on.
  func over(_ key: StreamKey, at state: WindowState) async {
    guard var run = runs[key] else { return }
    run.next.sequence = max(run.next.sequence, UInt64(max(0, state.nextSequence)))
    run.isOver = true
    runs[key] = run
    await tell(key)
  }

  /// Tells the store what it is to know by now, if anything, and if it isn't being told something
  /// already.
  private func tell(_ key: StreamKey) async {
    guard var run = runs[key], run.hasNews, !run.isAsking else { return }
    run.isAsking = true
    runs[key] = run
    do throws(StoreError) {
      try await waiting(atMost: patience) { [run] () async throws(StoreError) in
        await self.reserve(key, run)
      }
    } catch {
      failed(key, error)
    }
  }

  /// Asks the store for the next block, or for the first one of a run that it knows nothing of.
  private func reserve(_ key: StreamKey, _ run: Run) async {
    let now = StreamOutlet.wallClockMilliseconds
    do throws(StoreError) {
      var numbers = try await stored(key, run, now)
      numbers.next = run.next
      numbers.lastPTS = run.lastPTS
      numbers.isOver = run.isOver
      numbers.began = run.began
      numbers.limits = try await store.extend(numbers, now: now)
      runs[key]?.kept = numbers
      if runs[key]?.isFailing == true {
        logger.notice("stream numbers kept again", metadata: ["stream": "\(key)"])
      }
      runs[key]?.isFailing = false
    } catch {
      runs[key]?.isAsking = false
      guard case .fenced = error else { return failed(key, error) }
      // One that has begun here meanwhile is another.
      if runs[key]?.kept?.epoch == run.kept?.epoch { runs[key] = nil }
      return leave(key)
    }
    runs[key]?.isAsking = false
    // It may have ended meanwhile.
    await tell(key)
  }

  /// Ends every run in order, so that the next ones go on without a gap: the node stops.
  ///
  /// After the first that the store does not answer the others are left as a crash leaves them:
  /// they go on at the end of their blocks.
  package func endAll() async {
    for key in Array(runs.keys) {
      if case .stalled = await finish(key) { return }
    }
  }

  /// Ends the run of a stream that nobody has published: whether one is expected that was there
  /// before is as it was.
  func withdraw(_ key: StreamKey) async { _ = await finish(key, isWithdrawn: true) }

  /// Ends the run of a stream that is over; the store may hear of it only now, where it failed
  /// until here.
  package func end(_ key: StreamKey) async {
    runs[key]?.isOver = true
    _ = await finish(key)
  }

  /// Ends the run of a stream that another process goes on with, after its last number, which notes
  /// may not have told yet.
  func end(_ key: StreamKey, at state: WindowState) async {
    await note(key, state)
    _ = await finish(key)
  }

  /// Ends a run; says why the store could not be told.
  private func finish(_ key: StreamKey, isWithdrawn: Bool = false) async -> StoreError? {
    guard let run = runs.removeValue(forKey: key) else { return nil }
    let now = StreamOutlet.wallClockMilliseconds
    do throws(StoreError) {
      try await waiting(atMost: patience) { [store] () async throws(StoreError) in
        var numbers = try await self.stored(key, run, now)
        numbers.next = run.next
        numbers.lastPTS = run.lastPTS
        numbers.isOver = isWithdrawn ? numbers.before?.isOver ?? true : run.isOver
        numbers.began = run.began
        try await store.end(numbers, now: isWithdrawn ? numbers.before?.updated ?? now : now)
      }
      return nil
    } catch {
      if case .fenced = error { leave(key) } else { warn(key, error) }
      return error
    }
  }

  /// What the store has reserved for a run; begun there now where it has never answered.
  private func stored(
    _ key: StreamKey, _ run: Run, _ now: Int64
  ) async throws(StoreError) -> StreamNumbers {
    if let kept = run.kept { return kept }
    return try await store.begin(name(key), now: now)
  }

  func name(_ key: StreamKey) -> StreamNumbers.Name {
    StreamNumbers.Name(wedding: key.wedding, camera: key.camera)
  }

  /// Notes that a block could not be reserved, and says so once.
  private func failed(_ key: StreamKey, _ error: StoreError) {
    if runs[key]?.isFailing == false { warn(key, error) }
    runs[key]?.isFailing = true
  }

  /// Another process has a stream, and keeps its numbers from here on.
  private func leave(_ key: StreamKey) {
    logger.info("stream numbers are another process's", metadata: ["stream": "\(key)"])
  }

  func warn(_ key: StreamKey, _ error: StoreError) {
    logger.warning(
      "stream numbers not kept", metadata: ["stream": "\(key)", "error": "\(error)"])
  }
}

extension WindowState {
  /// The same with no number below another's.
  func after(_ other: WindowState) -> WindowState {
    var state = self
    state.nextSequence = max(nextSequence, other.nextSequence)
    state.discontinuitySequence = max(discontinuitySequence, other.discontinuitySequence)
    return state
  }
}

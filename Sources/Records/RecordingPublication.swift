import Cluster
package import Logging
package import Store
import Synchronization
import Telemetry

/// Keeps what Redis says of a node's recordings true.
///
/// What has changed is told at once; what Redis has lost, or could not be told, is told again when
/// it is back. One task does all of it, so that a deletion can't be overtaken by an older word.
package final class RecordingPublication: Sendable {
  /// A recording of this node.
  package struct Own: Sendable {
    package var id: String
    package var wedding: String
    /// In milliseconds since 1970; the newest are told of where there are too many.
    package var started: Int64
    /// Whether more changes than its record tells of: it is looked at from time to time.
    package var isUnderWay: Bool
    /// What the API shows of it, as JSON.
    package var document: String

    package init(
      id: String, wedding: String, started: Int64, isUnderWay: Bool, document: String
    ) {
      self.id = id
      self.wedding = wedding
      self.started = started
      self.isUnderWay = isUnderWay
      self.document = document
    }
  }

  /// What a node has.
  package struct Source: Sendable {
    /// All of its recordings.
    let all: @Sendable () async -> Result<[Own], StoreError>
    /// One of them; nil where it has none of that name.
    let one: @Sendable (_ id: String) async -> Result<Own?, StoreError>

    package init(
      all: @escaping @Sendable () async -> Result<[Own], StoreError>,
      one: @escaping @Sendable (String) async -> Result<Own?, StoreError>
    ) {
      self.all = all
      self.one = one
    }
  }

  private struct Pending {
    var ids: Set<String> = []
    var isLook = true
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter = 0
    var isOver = false
  }

  /// What Redis was told of a recording.
  private struct Told {
    var wedding: String
    var document: Int
    var until: Int64
    var isUnderWay: Bool
  }

  /// How often it is looked whether Redis still knows, and what is under way has come further.
  private static let round = Duration.seconds(3)
  /// How long a change waits for those that follow it.
  private static let pause = Duration.milliseconds(50)
  /// How many recordings of one wedding others are told of.
  package static let mostOfWedding = 500

  private let node: String
  private let shared: RedisRecordings
  private let limit: Int
  private let metrics: RecordingIndexMetrics
  private let logger: Logger
  private let now: @Sendable () -> Int64
  private let pending = Mutex(Pending())
  private let rings: AsyncStream<Void>
  private let bell: AsyncStream<Void>.Continuation

  /// - Parameters:
  ///   - shared: where it is told.
  ///   - node: whose recordings they are.
  ///   - limit: of how many recordings others are told, the newest.
  ///   - metrics: counts.
  ///   - logger: hears when Redis can't be told.
  ///   - now: milliseconds since 1970.
  package init(
    _ shared: RedisRecordings, node: String, limit: Int, metrics: RecordingIndexMetrics,
    logger: Logger, now: @escaping @Sendable () -> Int64
  ) {
    self.shared = shared
    self.node = node
    self.limit = limit
    self.metrics = metrics
    self.logger = logger
    self.now = now
    (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  /// A recording has changed, or is no more.
  package func note(_ id: String) {
    pending.withLock { _ = $0.ids.insert(id) }
    bell.yield()
  }

  /// Returns once what was noted before has been told, or could not be: who has changed something
  /// is to find it so on every node.
  ///
  /// - Parameter limit: how long that is waited for; it is told all the same.
  package func settle(within limit: Duration = .seconds(3)) async {
    await withCheckedContinuation { continuation in
      let number = pending.withLock { pending -> Int? in
        guard !pending.isOver else { return nil }
        pending.nextWaiter += 1
        pending.waiters[pending.nextWaiter] = continuation
        return pending.nextWaiter
      }
      guard let number else { return continuation.resume() }
      bell.yield()
      Task {
        try? await Task.sleep(for: limit)
        pending.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
      }
    }
  }

  /// Tells Redis of a node's recordings until the task is cancelled; once.
  package func run(_ source: Source) async {
    let clock = Task {
      while !Task.isCancelled {
        look()
        try? await Task.sleep(for: Self.round)
      }
    }
    defer { clock.cancel() }
    var state = State()
    var trouble = shared.trouble
    for await _ in rings {
      if pending.withLock({ $0.waiters.isEmpty && !$0.isLook }) {
        try? await Task.sleep(for: Self.pause)
      }
      let (ids, last) = pending.withLock { pending in
        defer { (pending.ids, pending.isLook) = ([], false) }
        return (pending.ids, pending.nextWaiter)
      }
      do throws(StoreError) {
        try await tell(ids, source, &state)
        trouble.isOver()
      } catch {
        state.isBehind = true
        metrics.failed.increment()
        if let level = trouble.level(for: "\(error)") {
          logger.log(
            level: level, "other nodes can't be told of recordings",
            metadata: ["error": "\(error)"])
        }
      }
      release(upTo: last)
    }
    pending.withLock { $0.isOver = true }
    release(upTo: .max)
  }

  /// Lets those go on who have waited since before something was told.
  private func release(upTo last: Int) {
    let waiters = pending.withLock { pending in
      let old = pending.waiters.filter { $0.key <= last }
      for number in old.keys { pending.waiters[number] = nil }
      return old.values
    }
    for waiter in waiters { waiter.resume() }
  }

  private func look() {
    pending.withLock { $0.isLook = true }
    bell.yield()
  }

  // MARK: What is told

  private struct State {
    var told: [String: Told] = [:]
    var era: String?
    /// Whether Redis may say something else than was told.
    var isBehind = true
    var leftOut = 0
  }

  private func tell(
    _ ids: Set<String>, _ source: Source, _ state: inout State
  ) async throws(StoreError) {
    let era = try await shared.era()
    if state.isBehind || state.era != era {
      return try await tellAll(source, &state, era)
    }
    let time = now()
    let underWay = state.told.filter { $0.value.isUnderWay }.map(\.key)
    let old = state.told.filter { $0.value.until < time + RedisRecordings.life / 2 }.map(\.key)
    var changed: [Own] = []
    var gone: [String: String] = [:]
    for id in ids.union(underWay).union(old) {
      if let own = try await source.one(id).get() {
        changed.append(own)
      } else if let told = state.told[id] {
        gone[id] = told.wedding
      }
    }
    let new = changed.filter { state.told[$0.id] == nil }
    // Somebody has to make room for it, or be told of now that there is some.
    if !new.isEmpty && isFull(new, state) || !gone.isEmpty && state.leftOut > 0 {
      return try await tellAll(source, &state, era)
    }
    try await put(changed, &state)
    try await remove(gone, &state)
  }

  private func isFull(_ new: [Own], _ state: State) -> Bool {
    if state.told.count + new.count > limit { return true }
    let weddings = Set(new.map(\.wedding))
    return state.told.values.filter { weddings.contains($0.wedding) }.count + new.count
      > Self.mostOfWedding
  }

  /// Tells of all recordings, and takes away what is left of others.
  private func tellAll(
    _ source: Source, _ state: inout State, _ era: String
  ) async throws(StoreError) {
    // Read before the recordings: what is told of and isn't there then is no more.
    let there = try await shared.told(by: node)
    let all = try await source.all().get()
    if state.isBehind || state.era != era { state.told = [:] }
    let own = chosen(all)
    try await put(own, &state)
    let kept = Set(own.map(\.id))
    var gone = there.filter { !kept.contains($0.key) }
    for (id, told) in state.told where !kept.contains(id) { gone[id] = told.wedding }
    try await remove(gone, &state)
    state.leftOut = all.count - own.count
    metrics.leftOut.set(state.leftOut)
    state.era = era
    // It may have been emptied meanwhile: the next round sees another life then.
    state.isBehind = false
  }

  /// The newest, as many as others are told of.
  private func chosen(_ all: [Own]) -> [Own] {
    var counts: [String: Int] = [:]
    return Array(
      all.sorted { ($0.started, $0.id) > ($1.started, $1.id) }.filter { own in
        counts[own.wedding, default: 0] += 1
        return counts[own.wedding, default: 0] <= Self.mostOfWedding
      }.prefix(limit))
  }

  private func put(_ recordings: [Own], _ state: inout State) async throws(StoreError) {
    let time = now()
    var entries: [RecordingEntry] = []
    var told: [String: Told] = [:]
    for own in recordings {
      let hash = own.document.hashValue
      let known = state.told[own.id]
      if let known, known.document == hash, known.wedding == own.wedding,
        known.until >= time + RedisRecordings.life / 2
      {
        state.told[own.id]?.isUnderWay = own.isUnderWay
        continue
      }
      let until = time + RedisRecordings.life
      entries.append(
        RecordingEntry(
          id: own.id, wedding: own.wedding, node: node, until: until, document: own.document))
      told[own.id] = Told(
        wedding: own.wedding, document: hash, until: until, isUnderWay: own.isUnderWay)
    }
    try await shared.put(entries)
    state.told.merge(told) { $1 }
    metrics.written.add(entries.count)
    metrics.entries.set(state.told.count)
  }

  private func remove(
    _ recordings: [String: String], _ state: inout State
  ) async throws(StoreError) {
    try await shared.remove(recordings, of: node)
    for id in recordings.keys { state.told[id] = nil }
    metrics.removed.add(recordings.count)
    metrics.entries.set(state.told.count)
  }
}

import EventLoop
import Logging
import Redis
import Synchronization
import Telemetry

/// This node's place among the others: it says that it lives, and knows who else does.
///
/// `view` may be read from any thread. A node is removed when its record has expired in Redis *and*
/// it doesn't answer; while Redis can't be read, nobody is removed, and checks alone say who is to
/// be used.
package final class Membership: Sendable {
  private struct State {
    var record: NodeRecord
    var table: NodeTable
    var isWanted = true
    /// Whether the next run of this node writes its record from now on.
    var isRetired = false
    /// Heartbeats on their way, and who waits until there is none.
    var writing = 0
    var quiet: [CheckedContinuation<Void, Never>] = []
    /// Whether others are to be told with the next heartbeat.
    var mustAnnounce = true
    /// Nodes that said they go; their records are looked for once more.
    var left: Set<NodeID> = []
    /// The number of the connection on which records are read, and since when.
    var connection = 0
    var connected = MonotonicTime.now
    /// What `wl:era` said when records were last read.
    var era: [UInt8]?
    /// When Redis last said who is there.
    var lastReading: MonotonicTime?
    var hasWritten = false
    /// What was said of nodes that don't answer.
    var report = PeerReport()
    /// When the last heartbeat was written.
    var written: MonotonicTime
  }

  /// How many checks run at a time.
  private static let mostChecks = 32

  private let registry: NodeRegistry
  private let events: ClusterEvents
  private let limits: ClusterConfiguration
  private let probe: PeerProbe?
  private let measure: (@Sendable () -> NodeLoad)?
  private let metrics: ClusterMetrics
  private let logger: Logger
  private let began: MonotonicTime
  private let state: Mutex<State>
  private let board: Board<ClusterView>
  private let writeBell = Bell()
  private let readBell = Bell()
  private let checkBell = Bell()
  /// Where checks that are due go, while this runs.
  private let due = Mutex<AsyncStream<NodeRecord>.Continuation?>(nil)

  /// Makes a node's membership.
  ///
  /// - Parameters:
  ///   - record: of this node.
  ///   - events: of the cluster.
  ///   - configuration: how often, how long.
  ///   - probe: asks peers; nil: only Redis and reports say who lives.
  ///   - measure: called at each heartbeat for the load; nil: what `update` set.
  ///   - metrics: where it is counted.
  ///   - logger: for what a person should know.
  init(
    _ record: NodeRecord, _ events: ClusterEvents, _ configuration: ClusterConfiguration,
    probe: PeerProbe?, measure: (@Sendable () -> NodeLoad)?, metrics: ClusterMetrics,
    logger: Logger
  ) {
    self.events = events
    limits = configuration
    self.probe = probe
    self.measure = measure
    self.metrics = metrics
    self.logger = logger
    registry = NodeRegistry(
      client: events.client, seal: RecordSeal(configuration.secret), limits: configuration)
    began = .now
    let table = NodeTable(own: record.id, checks: probe != nil, configuration)
    state = Mutex(State(record: record, table: table, written: began))
    board = Board(
      ClusterView(
        own: record.id, nodes: [record.id: KnownNode(record: record, began: began, written: began)])
    )
    events.observe { [weak self] in self?.observe($0) }
  }

  // MARK: What others ask

  /// Who this node is.
  package var own: NodeID { board.value.own }

  /// Whether it leaves what it has to other nodes, or to its next process.
  package var isLeaving: Bool {
    state.withLock { $0.isRetired || $0.record.state == .draining }
  }

  /// The name of this run of the process.
  var incarnation: String { state.withLock { $0.record.incarnation } }

  /// All nodes as they are seen now.
  package var view: ClusterView { board.value }

  /// The view now, then each time something in it changes; who is slow sees the newest.
  package var changes: AsyncStream<ClusterView> { board.changes() }

  /// Changes what this node says of itself; a change of its state, condition or addresses is
  /// told to the others at once, a load with the next heartbeat.
  ///
  /// What no node may say of itself (an address without a port) is logged and not said.
  package func update(_ change: @Sendable (inout NodeRecord) -> Void) {
    let mustTell = state.withLock { state in
      let before = state.record
      change(&state.record)
      state.record.load = state.record.load.clamped
      state.record.condition = state.record.condition.sayable
      if let problem = state.record.problem {
        logger.error("not told to the cluster: \(problem)")
        state.record = before
      }
      let tells =
        before.state != state.record.state || before.addresses != state.record.addresses
        || before.region != state.record.region || before.condition != state.record.condition
      if tells { state.mustAnnounce = true }
      return tells
    }
    publish()
    if mustTell { writeBell.ring() }
  }

  /// Somebody used a node and it failed: no connection, no answer, nonsense.
  package func report(failure id: NodeID) { report(id, false) }

  /// Somebody used a node and all was well.
  package func report(success id: NodeID) { report(id, true) }

  private func report(_ id: NodeID, _ succeeded: Bool) {
    state.withLock { $0.table.reported(id, succeeded: succeeded, at: .now) }
    publish()
    if !succeeded { checkBell.ring() }
  }

  /// A node has said itself that it will be gone: one that was stopped in order is no loss.
  package func heard(leaving id: NodeID) {
    state.withLock { $0.table.heard(leaving: id) }
    publish()
  }

  // MARK: Running

  /// Says that this node lives, and looks after the others, until the task is cancelled.
  package func run() async {
    let (checks, due) = AsyncStream.makeStream(of: NodeRecord.self)
    self.due.withLock { $0 = due }
    // Those that an earlier run had not ended are due again.
    state.withLock { $0.table.dropChecks() }
    await withDiscardingTaskGroup { group in
      group.addTask { await self.writeBell.loop(every: self.limits.beat) { await self.write() } }
      group.addTask { await self.readBell.loop(every: self.limits.beat) { await self.read() } }
      group.addTask {
        await self.checkBell.loop(every: self.limits.recheckInterval) { await self.check() }
      }
      group.addTask { await self.run(checks) }
      // When Redis is back, the others shall not have to wait for the next heartbeat.
      group.addTask {
        for await state in self.events.client.changes where state.isConnected {
          self.writeBell.ring()
          self.readBell.ring()
        }
      }
    }
  }

  /// Learns who is there before `run`: who begins to serve shall not take others for absent.
  ///
  /// - Parameter limit: how long each question to Redis may take.
  /// - Returns: whether Redis has said it; where it is away, that is learnt later.
  package func look(atMost limit: Duration) async -> Bool {
    do throws(RedisError) {
      let names = try await registry.names(deadline: limit)
      take(try await registry.read(names, deadline: limit), left: [])
    } catch {
      // Where there is no connection, that is said with all that it means.
      let level: Logger.Level = events.client.state.isConnected ? .warning : .debug
      logger.log(level: level, "the cluster's other nodes aren't known yet: \(error)")
      return false
    }
    publish()
    return true
  }

  /// Leaves the node's record to its next run, which has begun.
  ///
  /// No heartbeat is written any more, and none is on its way when this returns. `leave` does
  /// nothing from then on.
  package func retire() async {
    await withCheckedContinuation { continuation in
      let isQuiet = state.withLock { state in
        state.isRetired = true
        if state.writing > 0 { state.quiet.append(continuation) }
        return state.writing == 0
      }
      if isQuiet { continuation.resume() }
    }
  }

  /// Takes this node's record away and tells the others; no heartbeat is written any more.
  package func leave() async {
    let found = state.withLock { state -> NodeID? in
      if state.isRetired { return nil }
      state.isWanted = false
      return state.record.id
    }
    guard let id = found else { return }
    try? await registry.remove(id, deadline: limits.deadline)
    try? await events.publish(.left(id))
  }

  private func observe(_ delivery: ClusterEvents.Delivery) {
    let rings = state.withLock { state -> Bool in
      switch delivery {
      case .event(.node(let id)): return id != state.record.id
      case .event(.left(let id)):
        // Names that nobody has are no reason to remember them.
        if state.table.entries[id] != nil {
          state.left.insert(id)
        } else {
          state.table.left(id)
        }
        return id != state.record.id
      case .missed: return true
      case .event: return false
      }
    }
    if rings { readBell.ring() }
  }

  // MARK: The heartbeat

  private func write() async {
    let load = measure?()
    let next = state.withLock { state -> (NodeRecord, announce: Bool)? in
      guard state.isWanted, !state.isRetired else { return nil }
      state.writing += 1
      state.record.beat += 1
      state.record.uptime = .now - began
      if let load { state.record.load = load.clamped }
      return (state.record, state.mustAnnounce)
    }
    guard let (record, announce) = next else { return }
    defer { wrote() }
    do throws(RedisError) {
      let before = try await registry.write(record, deadline: limits.beat)
      let isWanted = state.withLock { state in
        let had = state.hasWritten
        state.hasWritten = true
        // Where Redis took no heartbeats for a while, others' records have expired as well.
        if isBehind(state, at: .now) { state.connected = .now }
        state.written = .now
        if let before, before != record.incarnation, had { conflict(record.id) }
        return state.isWanted
      }
      metrics.beat(true)
      // It has left meanwhile, and this heartbeat may have come after that.
      guard isWanted else { return try await registry.remove(record.id, deadline: limits.beat) }
    } catch {
      metrics.beat(false)
      logger.debug("no heartbeat: \(error)")
      return
    }
    guard announce, (try? await events.publish(.node(record.id))) != nil else { return }
    state.withLock { state in
      if state.record.state == record.state, state.record.condition == record.condition {
        state.mustAnnounce = false
      }
    }
  }

  private func wrote() {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.writing -= 1
      guard state.writing == 0 else { return [] }
      defer { state.quiet = [] }
      return state.quiet
    }
    for continuation in waiting { continuation.resume() }
  }

  private func conflict(_ id: NodeID) {
    metrics.conflict()
    logger.error("another process says that it is node \(id): give each its own node.id")
  }

  private func read() async {
    defer { publish() }
    guard case .connected(_, let connection) = events.client.state else { return lost() }
    let (known, left) = state.withLock { state -> ([NodeID], Set<NodeID>) in
      if state.connection != connection {
        state.connection = connection
        state.connected = .now
      }
      defer { state.left = [] }
      return (Array(state.table.entries.keys), state.left)
    }
    do throws(RedisError) {
      let names = try await registry.names(deadline: limits.beat)
      let answer = try await registry.read(
        Array(Set(known).union(names)), deadline: limits.beat)
      take(answer, left: left)
    } catch {
      lost()
    }
  }

  private func take(_ answer: NodeRegistry.Answer, left: Set<NodeID>) {
    for _ in 0..<answer.malformed { metrics.refused("node") }
    for _ in 0..<answer.unsealed { metrics.refused("seal") }
    if let line = state.withLock({ $0.report.line(forRefused: answer.unsealed) }) {
      logger.log(level: line.level, "\(line.text)")
    }
    let now = MonotonicTime.now
    state.withLock { state in
      state.lastReading = now
      // A Redis that has just come (back), or was emptied, may know nobody yet.
      if answer.era == nil || answer.era != state.era { state.connected = now }
      state.era = answer.era
      let counts =
        now - state.connected >= limits.recordLife && !isBehind(state, at: now)
      for (id, reading) in answer.readings {
        state.table.read(id, reading, absenceCounts: counts, at: now)
        if reading == .absent, left.contains(id) { state.table.left(id) }
      }
    }
  }

  /// Whether this node's own heartbeats are no longer written: a Redis that can be read may refuse
  /// what is written, by all nodes alike, and records that expire then say nothing of theirs.
  private func isBehind(_ state: borrowing State, at now: MonotonicTime) -> Bool {
    now - state.written >= max(limits.beat * 5 / 4, limits.recordLife - limits.beat)
  }

  private func lost() {
    // Nothing that was read before says who is gone now.
    state.withLock { $0.connected = .now }
  }

  // MARK: Checks

  private func check() async {
    let now = MonotonicTime.now
    let (records, gone) = state.withLock { state in
      let coordinated = isCoordinated(state, at: now)
      let gone = state.table.sweep(coordinated: coordinated, at: now)
      return (state.table.takeDueChecks(atMost: Self.mostChecks, at: now), gone)
    }
    for id in gone {
      metrics.removed("silent")
      logger.notice("node \(id) is gone: no heartbeat and no answer")
      try? await registry.forget(id, deadline: limits.beat)
    }
    publish()
    // Beside this round: one that doesn't answer must not keep the others from being checked.
    for record in records { _ = due.withLock { $0?.yield(record) } }
  }

  private func run(_ checks: AsyncStream<NodeRecord>) async {
    await withDiscardingTaskGroup { group in
      for await record in checks { group.addTask { await self.check(record) } }
    }
  }

  private func check(_ record: NodeRecord) async {
    guard let probe else { return }
    let answer = await probe.check(record, limits.checkDeadline)
    let passed = answer.cause == nil
    // Cut short by the end of `run`, it says nothing.
    if Task.isCancelled { return }
    metrics.check(passed)
    let line = state.withLock { state in
      state.table.checked(
        record, passed: passed, isLeaving: answer == .leaving, isAiling: answer == .ailing,
        at: .now)
      return state.report.line(
        for: record.id, answer.cause, isStopping: state.table.isStopping(record.id))
    }
    if let line { logger.log(level: line.level, "\(line.text)") }
    publish()
  }

  // MARK: The view

  private func isCoordinated(_ state: State, at now: MonotonicTime) -> Bool {
    guard let last = state.lastReading else { return false }
    return now - last <= limits.recordLife
  }

  private func publish() {
    let now = MonotonicTime.now
    let line = state.withLock { state -> (level: Logger.Level, text: String)? in
      var nodes = state.table.nodes(at: now)
      nodes[state.record.id] = KnownNode(
        record: state.record, began: began, written: state.written)
      var view = ClusterView(
        own: state.record.id, nodes: nodes, isCoordinated: isCoordinated(state, at: now))
      view.lost = state.table.lost
      guard view != board.value else { return nil }
      // Counted first: who hears of the view finds the metrics to match it.
      metrics.coordinated.set(view.isCoordinated ? 1 : 0)
      let all = Array(view.nodes.values) + Array(view.lost.values)
      metrics.saw(all.reduce(into: [:]) { $0[$1.status, default: 0] += 1 })
      // Within the lock, so that no older view comes after a newer one.
      board.set(view)
      return state.report.line(
        forOtherSecrets: Set(view.nodes.values.filter { view.hasOtherSecret($0) }.map(\.id)))
    }
    if let line { logger.log(level: line.level, "\(line.text)") }
  }
}

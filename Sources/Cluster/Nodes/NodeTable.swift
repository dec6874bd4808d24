import EventLoop

/// What this node knows of the others, and the rules by which they come and go.
///
/// Pure: told what was read, checked and reported, and when, on this machine's clock alone.
struct NodeTable: Sendable {
  /// What Redis has for a node.
  enum Reading: Equatable, Sendable {
    /// Its record, and how long ago it was written, by Redis' clock.
    case record(NodeRecord, age: Duration)
    /// Nothing: it never was there, has expired, or the node has left.
    case absent
    /// Something that isn't a node's record; what was known before stays.
    case malformed
  }

  struct Entry: Sendable {
    var node: KnownNode
    var health = PeerHealth()
    /// When its record was first found missing.
    var absent: MonotonicTime?
    /// When it is to be checked next.
    var nextCheck: MonotonicTime
    var isBeingChecked = false
    /// Whether it has said something of itself since the check that is under way began.
    var hasSpoken = false
    /// Whether it has said that it will be gone, though Redis may say nothing of it.
    var isLeaving = false
    /// Whether something fails at it: what it said last, in its record or in answer to a check.
    var isAiling = false

    /// Whether it is to be gone, whoever says so.
    var leaves: Bool { isLeaving || node.record.state == .draining }
  }

  private let limits: ClusterConfiguration
  private let own: NodeID
  /// Whether peers are checked at all.
  private let checks: Bool
  private(set) var entries: [NodeID: Entry] = [:]
  /// Those that were removed without a word, and when.
  private var removed: [NodeID: (node: KnownNode, at: MonotonicTime)] = [:]

  init(own: NodeID, checks: Bool, _ limits: ClusterConfiguration) {
    self.own = own
    self.checks = checks
    self.limits = limits
  }

  // MARK: What Redis says

  /// Takes what was read of one node.
  ///
  /// - Parameters:
  ///   - id: whose.
  ///   - reading: what was there.
  ///   - counts: whether absence means something: not while Redis has just come back.
  ///   - now: when.
  mutating func read(
    _ id: NodeID, _ reading: Reading, absenceCounts counts: Bool, at now: MonotonicTime
  ) {
    switch reading {
    case .malformed: break
    case .absent:
      guard counts, id != own, entries[id] != nil, entries[id]?.absent == nil else { return }
      entries[id]?.absent = now
      entries[id]?.nextCheck = now
    case .record(let record, let age):
      guard id == record.id, id != own else { return }
      take(record, written: now + (.zero - age), at: now)
    }
  }

  private mutating func take(
    _ record: NodeRecord, written: MonotonicTime, at now: MonotonicTime
  ) {
    if var entry = entries[record.id], entry.node.record.incarnation == record.incarnation {
      // An older one, put back by somebody, is no sign of life.
      guard record.beat >= entry.node.record.beat else { return }
      if record.beat > entry.node.record.beat {
        entry.absent = nil
        entry.node.written = written
        entry.isAiling = record.condition.fault != nil
        entry.hasSpoken = true
      }
      entry.node.record = record
      entries[record.id] = entry
    } else {
      guard entries[record.id] != nil || entries.count < limits.nodes else { return }
      removed[record.id] = nil
      let began = written + (.zero - record.uptime)
      entries[record.id] = Entry(
        node: KnownNode(record: record, began: began, written: written), nextCheck: now,
        isAiling: record.condition.fault != nil)
    }
  }

  /// A node said that it goes, and its record is gone.
  mutating func left(_ id: NodeID) {
    entries[id] = nil
    removed[id] = nil
  }

  /// A node says that it will be gone, while its record is as it was.
  mutating func heard(leaving id: NodeID) {
    entries[id]?.isLeaving = true
    entries[id]?.hasSpoken = true
  }

  /// Whether it has said that it will be gone, or has gone by now.
  func isStopping(_ id: NodeID) -> Bool {
    entries[id].map { $0.isLeaving || $0.node.record.state == .draining } ?? true
  }

  // MARK: What we see ourselves

  /// Those whose check is due; they count as being checked from now on.
  mutating func takeDueChecks(atMost most: Int, at now: MonotonicTime) -> [NodeRecord] {
    guard checks else { return [] }
    var due: [NodeRecord] = []
    let most = most - entries.values.count(where: \.isBeingChecked)
    for (id, entry) in entries where !entry.isBeingChecked && entry.nextCheck <= now {
      guard due.count < most else { break }
      entries[id]?.isBeingChecked = true
      entries[id]?.hasSpoken = false
      due.append(entry.node.record)
    }
    return due
  }

  /// Those that are under way will not end any more.
  mutating func dropChecks() { for id in entries.keys { entries[id]?.isBeingChecked = false } }

  /// A check has ended.
  ///
  /// - Parameters:
  ///   - record: as it was when the check began.
  ///   - passed: how it ended.
  ///   - isLeaving: whether the node said that it will be gone.
  ///   - isAiling: whether it said that something fails.
  ///   - now: when it ended.
  mutating func checked(
    _ record: NodeRecord, passed: Bool, isLeaving: Bool = false, isAiling: Bool = false,
    at now: MonotonicTime
  ) {
    guard var entry = entries[record.id] else { return }
    entry.isBeingChecked = false
    if entry.node.record.incarnation == record.incarnation {
      entry.health.checked(passed, limits, at: now)
      // Who answers without a word of it is the next process, of which Redis may not have told;
      // what was said since it was asked is newer than its answer.
      if passed, isLeaving || !entry.hasSpoken { entry.isLeaving = isLeaving }
      if passed, !isLeaving, !entry.hasSpoken { entry.isAiling = isAiling }
      entry.nextCheck = now + (passed ? limits.checkInterval : limits.recheckInterval)
    }
    entries[record.id] = entry
  }

  /// Somebody used a node.
  mutating func reported(_ id: NodeID, succeeded: Bool, at now: MonotonicTime) {
    if succeeded { return entries[id]?.health.succeeded() ?? () }
    entries[id]?.health.failed(limits, at: now)
    entries[id]?.nextCheck = now
  }

  // MARK: Who stays

  /// Removes those who are gone: without a record, and without an answer.
  ///
  /// - Parameters:
  ///   - coordinated: whether Redis is read; while it isn't, nobody is removed.
  ///   - now: when.
  /// - Returns: who was removed.
  mutating func sweep(coordinated: Bool, at now: MonotonicTime) -> [NodeID] {
    removed = removed.filter { now - $0.value.at < limits.lostMemory }
    guard coordinated else { return [] }
    let gone = entries.filter { _, entry in
      guard let absent = entry.absent else { return false }
      return checks ? entry.health.failsChecks(limits) : now - absent > limits.suspectLimit
    }
    for (id, entry) in gone {
      entries[id] = nil
      guard limits.lostMemory > .zero, !entry.leaves else { continue }
      if removed.count >= limits.nodes, let oldest = removed.min(by: { $0.value.at < $1.value.at })
      {
        removed[oldest.key] = nil
      }
      var node = entry.node
      node.isSuspect = true
      node.isDown = true
      node.isLost = true
      node.answered = entry.health.passed
      removed[id] = (node, now)
    }
    return gone.keys.sorted()
  }

  /// Those that were lost and are none any more, for as long as they are remembered.
  var lost: [NodeID: KnownNode] { removed.mapValues(\.node) }

  /// All as they are seen now.
  func nodes(at now: MonotonicTime) -> [NodeID: KnownNode] {
    entries.mapValues { entry in
      var node = entry.node
      node.isDown = entry.health.isDown(limits, at: now)
      node.isSuspect = entry.absent != nil
      node.isLeaving = entry.leaves
      node.isAiling = entry.isAiling
      // Of one that is well it would change the view with each check.
      node.answered = node.isDown || node.isSuspect ? entry.health.passed : nil
      node.hasAnswered =
        entry.absent.map { (entry.health.passed ?? .init(nanoseconds: 0)) >= $0 } ?? true
      node.isLost =
        node.isDown
        && (node.isSuspect || now - node.seen >= limits.recordLife
          || now - (entry.health.passed ?? node.began) >= limits.recordLife * 2)
      return node
    }
  }
}

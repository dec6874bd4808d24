import Cluster
import EventLoop
import Foundation
import Logging
import Origin
import Records
import ServiceLifecycle
import Store
import Synchronization
import Telemetry

/// What nodes of a cluster keep together: locks, cameras and stream keys, in Redis with a copy in
/// this node's file; and what they tell each other of their recordings, in Redis alone.
final class ClusterRecords: Sendable {
  let locks: ClusterWeddingLocks
  let cameras: ClusterCameras
  let keys: ClusterStreamKeys
  let orders: ClusterRecordingOrders
  let recordings: RedisRecordings
  let knownRecordings: KnownRecordings
  let finder: RecordingFinder
  let cluster: NodeCluster
  private let logger: Logger
  private let pending = Mutex<Set<Change>>([])
  private let rings: AsyncStream<Void>
  private let bell: AsyncStream<Void>.Continuation

  /// What is to be read again.
  private enum Change: Hashable {
    case everything, locks
    case cameras(String)
    case orders(String)
  }

  /// What of this node is told of changes.
  struct Users: Sendable {
    var locks: WeddingLocks
    /// Nil on a node that takes no streams.
    var cameras: OriginCameras?
    /// The same.
    var orders: OrderFollowing?
  }

  /// How often locks are read although no event has told of one, and all else.
  private static let rounds = (locks: Duration.seconds(5), everything: 12)

  /// Keeps records in a cluster's Redis.
  ///
  /// - Parameters:
  ///   - cluster: whose.
  ///   - file: has this node's copies.
  ///   - registry: of the node's metrics.
  ///   - logger: hears when they can't be read.
  init(
    _ cluster: NodeCluster, _ file: RecordFile, metrics registry: MetricRegistry, logger: Logger
  ) {
    self.cluster = cluster
    self.logger = logger
    let events = cluster.node.events
    locks = ClusterWeddingLocks(
      RedisWeddingLocks(cluster.redis), copy: SQLiteWeddingLocks(file),
      // Who isn't told reads it a few seconds later.
      announce: { try? await events.publish(.lock(wedding: $0)) })
    cameras = ClusterCameras(
      RedisCameras(cluster.redis), copy: SQLiteCameras(file),
      announce: { try? await events.publish(.cameras(wedding: $0)) })
    keys = ClusterStreamKeys(
      RedisStreamKeys(cluster.redis), own: SQLiteStreamKeys(file), logger: logger)
    orders = ClusterRecordingOrders(
      RedisRecordingOrders(cluster.redis), copy: SQLiteRecordingOrders(file),
      announce: { try? await events.publish(.recording(wedding: $0)) })
    recordings = RedisRecordings(cluster.redis, seal: cluster.seal)
    knownRecordings = KnownRecordings(
      recordings,
      isAway: { name in
        NodeID(name).flatMap { cluster.node.membership.view[$0]?.isReachable } != true
      }, now: { LogTime.now.milliseconds })
    finder = RecordingFinder(cluster.recordingPeers, knownRecordings, metrics: registry)
    (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    events.observe { [weak self] delivery in
      switch delivery {
      case .missed: self?.note(.everything)
      case .event(.lock): self?.note(.locks)
      case .event(.cameras(let wedding)): self?.note(.cameras(wedding))
      case .event(.recording(let wedding)): self?.note(.orders(wedding))
      case .event: break
      }
    }
  }

  private func note(_ change: Change) {
    pending.withLock { _ = $0.insert(change) }
    bell.yield()
  }

  /// Keeps what this node knows fresh, until the task is cancelled.
  func follow(_ users: Users) async {
    let clock = Task { [weak self] in
      var round = 0
      while !Task.isCancelled {
        try? await Task.sleep(for: Self.rounds.locks)
        round += 1
        self?.note(round.isMultiple(of: Self.rounds.everything) ? .everything : .locks)
      }
    }
    defer { clock.cancel() }
    var trouble = RedisTrouble(cluster.redis)
    for await _ in rings {
      let changes = pending.withLock { pending in
        defer { pending = [] }
        return pending
      }
      do throws(StoreError) {
        try await take(changes, users)
        trouble.isOver()
      } catch {
        if let level = trouble.level(for: "\(error)") {
          logger.log(
            level: level, "records of the cluster can't be read", metadata: ["error": "\(error)"])
        }
        try? await Task.sleep(for: .seconds(1))
        for change in changes { note(change) }
      }
    }
  }

  private func take(_ changes: Set<Change>, _ users: Users) async throws(StoreError) {
    if let orders = users.orders {
      await orders.tell()
      if changes.contains(.everything) {
        await orders.refresh(nil)
      } else {
        for case .orders(let wedding) in changes { await orders.refresh(wedding) }
      }
    }
    if changes.contains(.everything) || changes.contains(.locks) {
      try await users.locks.refresh()
    }
    guard let cameras = users.cameras else { return }
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    try await keys.sendAgain(all: changes.contains(.everything), now: now)
    if changes.contains(.everything) { return try await cameras.refresh() }
    for case .cameras(let wedding) in changes { try await cameras.refresh(wedding) }
  }
}

/// Keeps a node's records those of its cluster.
struct ClusterRecordsService: Service {
  let records: ClusterRecords
  let users: ClusterRecords.Users

  func run() async throws {
    await cancelWhenGracefulShutdown { await records.follow(users) }
  }
}

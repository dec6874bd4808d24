import Cache
package import Cluster
package import Logging
import Redis
import Synchronization

/// Has an edge's cache forget what any node of its cluster says is to be forgotten.
///
/// Invalidations that come together are done together: ten thousand at once are a few passes over
/// the cache, in which no loop waits longer than for a stretch of one shard. How far it has come
/// stands beside what is on disk, so that an edge which was away catches up; one that was away for
/// longer than the cluster remembers has everything confirmed by its origin before anybody gets it.
package final class CacheInvalidations: Sendable {
  private struct State {
    var waiting: [Invalidation] = []
    var position: RedisStreamID?
  }

  /// How many wait until they are done in the follower's own task, which then reads no further.
  static let mostWaiting = 4_096

  private let proxy: EdgeProxy
  private let invalidations: Invalidations
  private let logger: Logger
  private let state = Mutex(State())
  private let turn = Mutex(())
  private let bell: (stream: AsyncStream<Void>, ring: AsyncStream<Void>.Continuation)

  /// - Parameters:
  ///   - proxy: whose cache it is.
  ///   - invalidations: of the cluster.
  ///   - logger: hears of what was missed.
  package init(_ proxy: EdgeProxy, _ invalidations: Invalidations, logger: Logger) {
    self.proxy = proxy
    self.invalidations = invalidations
    self.logger = logger
    let (stream, ring) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    bell = (stream, ring)
  }

  /// Follows the cluster until the task is cancelled.
  package func run() async {
    let position = proxy.store.disk?.tier.position.flatMap { RedisStreamID($0) }
    // What a process before has left may have been purged since; nobody knows.
    if position == nil { proxy.doubtAll() }
    await withTaskGroup { group in
      group.addTask { [self] in
        for await _ in bell.stream { flush() }
      }
      group.addTask { [self] in
        await invalidations.run(after: position) { self.take($0) }
      }
      await group.next()
      group.cancelAll()
    }
    flush()
  }

  private func take(_ event: Invalidations.Event) {
    switch event {
    case .following(let position): note(position)
    case .current:
      flush()
      proxy.store.isSure.store(true, ordering: .releasing)
    case .purge(let invalidation, let position):
      let count = state.withLock { state in
        state.waiting.append(invalidation)
        state.position = position
        return state.waiting.count
      }
      if count >= Self.mostWaiting { flush() } else { bell.ring.yield() }
    case .missed:
      logger.warning(
        "purges may have been missed: all that is cached is confirmed by its origin first")
      flush()
      proxy.doubtAll()
    }
  }

  /// Does what waits; called by both tasks, each of which does what it finds.
  ///
  /// One after the other: a later position must not be noted before what stands before it is done.
  private func flush() {
    turn.withLock { _ in
      let (batch, position) = state.withLock { state in
        defer { state.waiting = [] }
        return (state.waiting, state.position)
      }
      guard !batch.isEmpty else { return }
      proxy.purge(batch)
      if let position { note(position) }
    }
  }

  private func note(_ position: RedisStreamID) {
    proxy.store.disk?.tier.note(position: position.description)
  }
}

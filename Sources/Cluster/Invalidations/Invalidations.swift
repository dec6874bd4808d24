import Logging
package import Redis

/// What caches must forget: `wl:invalidations`, a Redis stream, so that a node that was away for a
/// while catches up by id.
package final class Invalidations: Sendable {
  /// What a follower is told.
  package enum Event: Equatable, Sendable {
    /// From here on nothing is left out; told before anything else.
    case following(RedisStreamID)
    /// All that was told while nobody followed has been handed out.
    case current
    /// To be done; the id is what to follow from after a restart.
    case purge(Invalidation, RedisStreamID)
    /// Some may be missing: all that is cached must be asked for anew before it is served.
    case missed
  }

  static let key = "wl:invalidations"
  /// How many are written in one flight.
  private static let batch = 500

  private let client: RedisClient
  private let limits: ClusterConfiguration
  private let metrics: ClusterMetrics
  private let logger: Logger

  init(
    _ client: RedisClient, _ configuration: ClusterConfiguration, metrics: ClusterMetrics,
    logger: Logger
  ) {
    self.client = client
    limits = configuration
    self.metrics = metrics
    self.logger = logger
  }

  /// Tells all nodes, this one included.
  ///
  /// - Parameter invalidations: any number, told in their order; telling one twice does no harm.
  /// - Throws: `.refused` where one of them isn't valid, and none is told then; `.unavailable`
  ///   where some may not have been told.
  package func publish(_ invalidations: [Invalidation]) async throws(ClusterError) {
    guard invalidations.allSatisfy(\.isValid) else {
      throw .refused("a key, prefix or tag has 1 to \(Invalidation.longest) bytes of text")
    }
    var rest = invalidations[...]
    while !rest.isEmpty {
      let commands = rest.prefix(Self.batch).map { invalidation in
        var command = RedisCommand(
          "XADD", Self.key, "MAXLEN", "~", limits.invalidationEntries, "*")
        command.append(contentsOf: invalidation.fields)
        return command
      }
      rest = rest.dropFirst(Self.batch)
      do throws(RedisError) {
        for reply in try await client.pipeline(commands, deadline: limits.deadline) {
          if let error = reply.error { throw .refused(error) }
        }
      } catch {
        throw .unavailable(error)
      }
    }
  }

  /// Tells all nodes of one.
  package func publish(_ invalidation: Invalidation) async throws(ClusterError) {
    try await publish([invalidation])
  }

  /// Follows what nodes tell, until the task is cancelled or the client closed.
  ///
  /// - Parameters:
  ///   - position: the last one that was done, where that outlived this process; nil: only what is
  ///     told from now on.
  ///   - handle: called with one event after the other; the next one waits for it.
  package func run(
    after position: RedisStreamID? = nil, _ handle: @Sendable (Event) async -> Void
  ) async {
    var position = position
    var isFollowing = false
    /// The newest that there was when the following began; nil once it has been handed out.
    var newest: RedisStreamID?
    var trouble = RedisTrouble(client)
    while !Task.isCancelled, client.state != .closed {
      do throws(RedisError) {
        let last = try await client.newest(of: Self.key, deadline: limits.deadline)
        let start = position ?? last
        position = start
        if !isFollowing { await handle(.following(start)) }
        isFollowing = true
        // Behind the position there is another stream, whose follower tells so in a moment.
        if last < start { await miss(handle) }
        newest = last
        if last <= start { newest = await caughtUp(handle) }
        trouble.isOver()
        for try await event in client.follow(Self.key, after: start) {
          if case .entry(let entry) = event { position = entry.id }
          await take(event, handle)
          if let last = newest, let position, position >= last { newest = await caughtUp(handle) }
        }
        return
      } catch {
        if let level = trouble.level(for: "\(error)") {
          logger.log(level: level, "invalidations can't be read: \(error)")
        }
        if isFollowing { await miss(handle) }
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func miss(_ handle: @Sendable (Event) async -> Void) async {
    metrics.invalidation("missed")
    await handle(.missed)
  }

  private func caughtUp(_ handle: @Sendable (Event) async -> Void) async -> RedisStreamID? {
    await handle(.current)
    return nil
  }

  private func take(
    _ event: RedisStreamFollower.Event, _ handle: @Sendable (Event) async -> Void
  ) async {
    switch event {
    case .missed: await miss(handle)
    case .entry(let entry):
      guard let invalidation = Invalidation(entry) else {
        return metrics.refused("invalidation")
      }
      metrics.invalidation("purge")
      await handle(.purge(invalidation, entry.id))
    }
  }
}

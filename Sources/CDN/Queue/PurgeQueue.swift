package import Logging
package import Redis
package import Store
package import Telemetry

/// Purges on their way to a CDN: queued by any node, done by one at a time, at least once.
///
/// In Redis they outlive every node, in a node's file its process. `run` does them; a queue whose
/// `run` isn't called only adds.
package final class PurgeQueue: Sendable {
  /// Where purges wait.
  package enum Place: Sendable {
    /// All nodes' together.
    case redis(RedisClient)
    /// Of a node by itself.
    case file(SQLitePurges)
    /// They end with the process.
    case memory
  }

  package let provider: any CDNProvider
  private let configuration: PurgeQueueConfiguration
  private let store: any PurgeStore
  private let metrics: CDNMetrics
  private let logger: Logger
  private let bell: AsyncStream<Void>.Continuation
  private let rings: AsyncStream<Void>

  /// - Parameters:
  ///   - provider: what does the purges.
  ///   - place: what keeps them.
  ///   - node: this node's name.
  ///   - configuration: bounds and pauses.
  ///   - registry: where `wedlive_cdn_…` are counted.
  ///   - logger: is told of what fails.
  package init(
    _ provider: any CDNProvider, in place: Place, node: String,
    _ configuration: PurgeQueueConfiguration = PurgeQueueConfiguration(),
    metrics registry: MetricRegistry? = nil, logger: Logger
  ) {
    var configuration = configuration
    // A call begins within a quarter of a hold, and ends within three.
    configuration.hold = max(configuration.hold, provider.deadline * 2)
    self.provider = provider
    self.configuration = configuration
    store =
      switch place {
      case .redis(let client): RedisPurgeStore(client, configuration, node: node)
      case .file(let records): RecordPurgeStore(records, configuration, node: node)
      case .memory: MemoryPurgeStore(configuration, node: node)
      }
    metrics = CDNMetrics(registry, provider: provider.name)
    self.logger = logger
    (rings, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  deinit { bell.finish() }

  // MARK: Publishing

  /// Queues purges; they are done in their order for each wedding.
  ///
  /// - Throws: `.refused` where one of them isn't valid, and none is queued then; `.full`; or
  ///   `.queueUnavailable`. Where there are more than 500, and after `.queueUnavailable`, some may
  ///   have been queued: queueing them again does no harm.
  package func publish(_ purges: [CDNPurge]) async throws(CDNError) {
    if let wrong = purges.first(where: { !$0.isValid }) {
      metrics.count("refused", purges.count)
      throw CDNError(.refused, "not a purge: \(wrong)")
    }
    if purges.isEmpty { return }
    do throws(CDNError) {
      try await store.add(purges)
    } catch {
      metrics.count("refused", purges.count)
      throw error
    }
    metrics.count("queued", purges.count)
    bell.yield()
  }

  // MARK: Looking

  /// How the queue stands.
  package func status() async throws(CDNError) -> PurgeStatus { try await store.status() }

  /// The last purges that were given up, newest first.
  package func failures(_ count: Int = 100) async throws(CDNError) -> [FailedPurge] {
    try await store.failures(count)
  }

  // MARK: Doing

  /// Does purges until the task is cancelled, while no other node does; called once.
  package func run() async {
    let bell = bell
    let poll = configuration.poll
    let ticker = Task {
      while !Task.isCancelled {
        bell.yield()
        try? await Task.sleep(for: poll)
      }
    }
    var progress = Progress(plan: PurgePlan(configuration))
    var words = ""
    for await _ in rings {
      do throws(CDNError) {
        try await work(&progress)
        words = ""
      } catch {
        progress.isDoubtful = true
        metrics.saw(nil)
        if error.message != words {
          logger.log(level: store.isAway ? .debug : .warning, "purges can't be done: \(error)")
        }
        words = error.message
      }
      if Task.isCancelled { break }
    }
    ticker.cancel()
    // In a task of its own: this one is cancelled, and what it asks of Redis is, too.
    let store = store
    await Task { await store.release() }.value
    metrics.saw(nil)
  }

  /// How far this node is with its part.
  private struct Progress {
    var plan: PurgePlan
    /// Done, and not noted yet.
    var owed: [QueuedPurge] = []
    /// Whether something was asked of the queue whose outcome isn't known.
    var isDoubtful = true
  }

  /// Does all that can be done now.
  ///
  /// - Throws: `.queueUnavailable`: nothing is known of the queue then, and nothing sent.
  private func work(_ progress: inout Progress) async throws(CDNError) {
    while !Task.isCancelled {
      let start = ContinuousClock.now
      try await settle(&progress)
      // Before each call: one that is sent must end while nobody else may send.
      let hold = try await store.hold()
      if hold == .none {
        progress.plan.reload([])
        return metrics.saw(nil)
      }
      if hold == .taken || progress.isDoubtful {
        progress.isDoubtful = true
        progress.plan.reload(try await store.unfinished())
        progress.isDoubtful = false
      }
      progress.plan.add(try await store.take(configuration.maxQueued - progress.plan.count))
      try await giveUp(
        progress.plan.expired(MemoryPurgeStore.now),
        CDNError(.unavailable, "not done within \(configuration.maxAge)"))
      metrics.saw(try await store.status())
      guard case .send(let call) = progress.plan.next(.now, provider.group) else { return }
      // All of that took long: the hold may not last for a call.
      if ContinuousClock.now - start > configuration.hold / 4 { continue }
      try await send(call, &progress)
    }
  }

  private func send(
    _ call: PurgePlan.Call, _ progress: inout Progress
  ) async throws(CDNError) {
    do throws(CDNError) {
      try await provider.send(call.batch)
    } catch {
      if error.code == .cancelled { return }
      metrics.call(error)
      let purge = call.batch.purges.first.map(\.description) ?? ""
      logger.warning(
        "a CDN did not purge",
        metadata: [
          "cdn": "\(provider.name)", "purges": "\(call.batch.purges.count)", "first": "\(purge)",
          "error": "\(error)",
        ])
      if let first = call.batch.purges.first { await store.note(error, of: first) }
      let lost = progress.plan.failed(call, error, .now, chance: .random(in: 0..<1))
      return try await giveUp(lost, error)
    }
    metrics.call(nil)
    // Before that is noted: who sees it there finds it counted.
    metrics.count("sent", call.entries.count)
    progress.plan.succeeded(call)
    progress.owed = call.entries
    try await settle(&progress)
  }

  /// Notes what is done.
  private func settle(_ progress: inout Progress) async throws(CDNError) {
    guard !progress.owed.isEmpty else { return }
    try await store.finish(progress.owed)
    progress.owed = []
  }

  private func giveUp(_ entries: [QueuedPurge], _ error: CDNError) async throws(CDNError) {
    guard !entries.isEmpty else { return }
    metrics.count("failed", entries.count)
    for entry in entries.prefix(20) {
      logger.error(
        "a purge is given up",
        metadata: ["cdn": "\(provider.name)", "purge": "\(entry.purge)", "error": "\(error)"])
    }
    try await store.giveUp(entries, error)
  }
}

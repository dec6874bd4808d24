import Logging
import Redis
import Synchronization
import Telemetry

/// The events of all nodes: `wl:events`, a Redis stream, so that a node that was away for a while
/// catches up.
package final class ClusterEvents: Sendable {
  /// What an observer is told.
  package enum Delivery: Equatable, Sendable {
    case event(ClusterEvent)
    /// Some may be missing: what was learnt from events must be looked up.
    case missed
  }

  package typealias Observer = @Sendable (Delivery) -> Void

  static let key = "wl:events"

  let client: RedisClient
  private let entries: Int
  private let deadline: Duration
  private let logger: Logger
  private let metrics: ClusterMetrics
  private let observers = Mutex<[Observer]>([])

  init(
    _ client: RedisClient, _ configuration: ClusterConfiguration, metrics: ClusterMetrics,
    logger: Logger
  ) {
    self.client = client
    entries = configuration.eventEntries
    deadline = configuration.deadline
    self.metrics = metrics
    self.logger = logger
  }

  /// Calls a closure with each event from now on, in order.
  ///
  /// - Parameter observer: must not wait; kept for as long as this object.
  package func observe(_ observer: @escaping Observer) {
    observers.withLock { $0.append(observer) }
  }

  /// Tells all nodes.
  package func publish(_ event: ClusterEvent) async throws(ClusterError) {
    var command = RedisCommand("XADD", Self.key, "MAXLEN", "~", entries, "*")
    command.append(contentsOf: event.fields)
    do throws(RedisError) {
      try await client.send(command, deadline: deadline)
    } catch {
      throw .unavailable(error)
    }
  }

  /// Follows the events until the task is cancelled or the client closed.
  func run() async {
    var position: RedisStreamID?
    var trouble = RedisTrouble(client)
    while !Task.isCancelled, client.state != .closed {
      do throws(RedisError) {
        if position == nil {
          position = try await client.newest(of: Self.key, deadline: deadline)
          // What happened before is to be looked up.
          tell(.missed)
        }
        trouble.isOver()
        for try await event in client.follow(Self.key, after: position) {
          if case .entry(let entry) = event { position = entry.id }
          deliver(event)
        }
        return
      } catch {
        if let level = trouble.level(for: "\(error)") {
          logger.log(level: level, "the cluster's events can't be read: \(error)")
        }
        tell(.missed)
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func deliver(_ event: RedisStreamFollower.Event) {
    switch event {
    case .missed: tell(.missed)
    case .entry(let entry):
      guard let event = ClusterEvent(entry) else { return metrics.refused("event") }
      metrics.events.increment()
      tell(.event(event))
    }
  }

  private func tell(_ delivery: Delivery) {
    for observer in observers.withLock({ $0 }) { observer(delivery) }
  }
}

extension RedisClient {
  /// The id of the newest entry of a stream; the beginning where there is none.
  func newest(of stream: String, deadline: Duration) async throws(RedisError) -> RedisStreamID {
    let reply = try await send(
      RedisCommand("XREVRANGE", stream, "+", "-", "COUNT", 1), deadline: deadline)
    guard let entries = reply.array else {
      throw .unexpected("entries were asked for, \(reply.kind) came")
    }
    guard let first = entries.first else { return .beginning }
    guard let id = first.array?.first?.text.flatMap({ RedisStreamID($0) }) else {
      throw .unexpected("an entry without an id")
    }
    return id
  }
}

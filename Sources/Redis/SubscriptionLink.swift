import EventLoop

/// The link that the messages of all channels come by; connected with the first subscription.
final class SubscriptionLink: RedisLink {
  private final class Subscriber {
    let feed: MessageFeed
    /// Channels that the server has not confirmed on this connection.
    var missing: Set<String>
    /// Whether it was once told `.joined`.
    var hasJoined = false

    init(_ feed: MessageFeed) {
      self.feed = feed
      missing = feed.channels
    }
  }

  private var subscribers: [UInt64: Subscriber] = [:]
  /// Who wants each channel.
  private var channels: [String: Set<UInt64>] = [:]
  private var confirmed: Set<String> = []
  /// How many answers to SUBSCRIBE are due for each channel on this connection: one that was
  /// unwanted for a while has two, and the first of them says nothing.
  private var due: [String: Int] = [:]

  init(_ engine: RedisEngine) { super.init(engine.greeting(.messages), engine) }

  deinit { for subscriber in subscribers.values { subscriber.feed.finish(.closed) } }

  func add(_ feed: MessageFeed) {
    let subscriber = Subscriber(feed)
    subscribers[feed.id] = subscriber
    for channel in feed.channels {
      if channels[channel, default: []].isEmpty, isOpen { subscribe(channel) }
      channels[channel, default: []].insert(feed.id)
      if confirmed.contains(channel) { subscriber.missing.remove(channel) }
    }
    if isOpen { tell(subscriber) } else if subscribers.count == 1 { start() }
  }

  func remove(_ feed: MessageFeed) {
    guard subscribers.removeValue(forKey: feed.id) != nil else { return }
    for channel in feed.channels {
      channels[channel]?.remove(feed.id)
      guard channels[channel]?.isEmpty == true else { continue }
      channels[channel] = nil
      confirmed.remove(channel)
      connection?.write { session, output in
        !isOpen || session.unsubscribe(channel, into: &output)
      }
    }
  }

  private func subscribe(_ channel: String) {
    due[channel, default: 0] += 1
    connection?.write { session, output in session.subscribe(channel, into: &output) }
  }

  /// Tells a subscriber that all its channels are there, once for each connection.
  private func tell(_ subscriber: Subscriber) {
    guard subscriber.missing.isEmpty else { return }
    put(subscriber.hasJoined ? .missed(.reconnected) : .joined, to: subscriber)
    subscriber.hasJoined = true
  }

  private func put(_ event: RedisSubscription.Event, to subscriber: Subscriber) {
    let dropped = subscriber.feed.put(event)
    if dropped > 0 { engine.metrics.dropped(dropped) }
  }

  // MARK: The connection

  override func opened(_ server: RedisServer) {
    for channel in channels.keys { subscribe(channel) }
  }

  override func happened(_ event: RedisSession.Event) {
    switch event {
    case .subscribed(let channel, let refusal):
      let left = (due[channel] ?? 1) - 1
      due[channel] = left > 0 ? left : nil
      // A channel may be unwanted by now; then its UNSUBSCRIBE is under way.
      guard left <= 0, let wanting = channels[channel] else { return }
      if refusal == nil { confirmed.insert(channel) }
      for subscriber in wanting.compactMap({ subscribers[$0] }) {
        if let refusal {
          subscriber.feed.finish(.refused(refusal))
          remove(subscriber.feed)
        } else if subscriber.missing.remove(channel) != nil {
          tell(subscriber)
        }
      }
    case .message(let channel, let payload):
      for number in channels[channel] ?? [] {
        // Before it was told that it has joined, what comes is a part of what it misses.
        guard let subscriber = subscribers[number], subscriber.missing.isEmpty else { continue }
        put(.message(channel: channel, payload: payload), to: subscriber)
      }
    default: break
    }
  }

  override func lost(_ loss: RedisLoss, _ connection: RedisConnection?) {
    confirmed = []
    due = [:]
    for subscriber in subscribers.values {
      subscriber.missing = subscriber.feed.channels
      if isClosed { subscriber.feed.finish(.closed) }
    }
  }
}

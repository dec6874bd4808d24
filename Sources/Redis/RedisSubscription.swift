/// The messages of some channels, as long as somebody reads them.
///
/// Redis keeps no messages: what is published while nobody is connected is lost, and `.missed` says
/// that this may have happened. Read by one task; dropping the sequence ends the subscription.
package struct RedisSubscription: AsyncSequence, Sendable {
  package typealias Element = Event
  package typealias Failure = RedisError

  package enum Event: Equatable, Sendable {
    /// All the channels are subscribed to: what is published from now on comes.
    case joined
    case message(channel: String, payload: [UInt8])
    /// Messages may have been lost here, for this reason; later ones come.
    case missed(Gap)
  }

  package enum Gap: Equatable, Sendable {
    /// The connection was lost, and is there again.
    case reconnected
    /// Too many messages waited for their reader.
    case tooSlow
  }

  package struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let hold: Hold

    /// The next event; nil once the client is closed or the task is cancelled.
    ///
    /// - Throws: `.refused` where the server does not let us subscribe.
    package mutating func next() async throws(RedisError) -> Event? {
      try await hold.feed.next()
    }

    package mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(RedisError) -> Event? {
      try await hold.feed.next()
    }
  }

  /// Ends the subscription with the last reference to it.
  final class Hold: Sendable {
    let feed: MessageFeed
    private let end: @Sendable (MessageFeed) -> Void

    init(_ feed: MessageFeed, end: @escaping @Sendable (MessageFeed) -> Void) {
      self.feed = feed
      self.end = end
    }

    deinit { end(feed) }
  }

  let hold: Hold

  package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(hold: hold) }
}

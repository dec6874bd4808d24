import EventLoop

/// The entries of a stream, from a position on, for as long as somebody reads them.
///
/// It has a connection of its own, on which it waits for new entries; a lost connection costs
/// nothing, since it goes on by id. Entries that the server no longer has are told as `.missed`.
/// Read by one task, at its own pace.
package struct RedisStreamFollower: AsyncSequence, Sendable {
  package typealias Element = Event
  package typealias Failure = RedisError

  package enum Event: Equatable, Sendable {
    case entry(RedisStreamEntry)
    /// Entries may be missing here, for this reason; later ones come.
    case missed(Gap)
  }

  package enum Gap: Equatable, Sendable {
    /// The stream was trimmed beyond what had been read.
    case trimmed
    /// It is another stream now, or none: deleted, or the server has lost its data. What is in the
    /// new one comes from its beginning.
    case replaced
  }

  /// How many entries are asked for at a time.
  static let batch = 256

  let client: RedisClient
  let key: String
  let position: RedisStreamID?

  package func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(
      link: Link(client), cursor: StreamCursor(key: key, position: position))
  }

  /// A connection for commands that block, closed with the last reference to it.
  final class Link: Sendable {
    let client: RedisClient
    let id: UInt64

    init(_ client: RedisClient) {
      self.client = client
      let id = client.nextNumber()
      self.id = id
      client.onLoop { $0?.open(id) }
    }

    deinit {
      let id = id
      client.onLoop { $0?.closeLink(id) }
    }
  }

  package struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let link: Link
    fileprivate var cursor: StreamCursor
    /// What came and is not handed out yet, the next one last.
    fileprivate var ready: [Event] = []

    fileprivate init(link: Link, cursor: StreamCursor) {
      self.link = link
      self.cursor = cursor
    }

    package mutating func next() async throws(RedisError) -> Event? { try await advance() }

    package mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(RedisError) -> Event? {
      try await advance()
    }

    private mutating func advance() async throws(RedisError) -> Event? {
      while true {
        if let event = ready.popLast() { return event }
        do throws(RedisError) {
          ready = try cursor.take(try await read()).reversed()
        } catch {
          switch error {
          case .closed, .cancelled: return nil
          case .notConnected, .timedOut: break
          case .lost(let loss, _): if loss == .closed { return nil }
          case _ where !error.canRetry: throw error
          // A server that is busy, or no primary any more.
          default: try? await Task.sleep(for: link.client.configuration.longestPause)
          }
        }
        if Task.isCancelled { return nil }
      }
    }

    private func read() async throws(RedisError) -> [RedisValue] {
      let configuration = link.client.configuration
      // Short of the time after which a silent server is taken for dead.
      let block = Swift.max(1, configuration.silenceLimit.nanoseconds / 2_000_000)
      let commands = cursor.commands(count: RedisStreamFollower.batch, block: block)
      return try await link.client.exchange(
        commands, .milliseconds(block) + configuration.replyLimit, on: link.id)
    }
  }
}

extension RedisClient {
  /// Follows a stream on a connection of its own.
  ///
  /// - Parameters:
  ///   - stream: its key.
  ///   - id: the last entry that is known; nil: only entries that are added from now on come.
  /// - Returns: the entries behind it, then new ones as they are added.
  package func follow(_ stream: String, after id: RedisStreamID?) -> RedisStreamFollower {
    RedisStreamFollower(client: self, key: stream, position: id)
  }
}

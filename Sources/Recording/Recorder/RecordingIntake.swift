import Dispatch
package import Media
import Synchronization
import Telemetry

/// Where a stream's messages leave its loop for the disk: a queue with a bound.
///
/// The loop never waits: what doesn't fit is lost, and the recorder is told where. After a loss
/// nothing but headers is taken until all that waits is written, so that a gap is one and not many.
package final class RecordingIntake: Sendable {
  /// What the recorder finds in the queue.
  enum Entry: Sendable {
    /// And when it came, in milliseconds since 1970.
    case message(RecordedMessage, at: Int64)
    /// Something is missing here: the disk was too slow.
    case gap
  }

  /// Why no more comes.
  package enum End: Sendable, Equatable {
    /// The publisher has gone, for a reason in words; it may come back.
    case publisherLeft(String)
    /// Somebody wants no more to be recorded.
    case stopped
  }

  fileprivate struct State {
    var entries: [Entry] = []
    /// Bytes of all messages in `entries`, and of those being written.
    var bytes = 0
    /// Whether something was lost since all was written last; nothing more is taken then.
    var isFull = false
    /// The newest header of each role that came meanwhile.
    var missedHeaders: [RecordedMessage.Role: RecordedMessage] = [:]
    var end: End?
    /// Nobody writes any more.
    var isAbandoned = false
  }

  /// From how many bytes on the recorder is woken; else it looks by itself, a few times a second.
  private static let wakeBytes = 256 << 10

  /// Tells it from all others of the process.
  let number: UInt64
  package let stream: StreamKey
  /// The rendition: `source`, `720p`.
  package let quality: String
  /// The publisher's plan, as its token names it.
  package let plan: String?
  private let limitBytes: Int
  private let state = Mutex(State())
  private let work = DispatchSemaphore(value: 0)

  /// Makes an empty queue.
  ///
  /// - Parameters:
  ///   - number: that no other one of the process has.
  ///   - stream: whose messages it takes.
  ///   - quality: the rendition of it.
  ///   - plan: of the publisher.
  ///   - limitBytes: what may wait for the disk.
  init(
    number: UInt64, _ stream: StreamKey, quality: String, plan: String?, limitBytes: Int
  ) {
    self.number = number
    self.stream = stream
    self.quality = quality
    self.plan = plan
    self.limitBytes = limitBytes
  }

  /// Whether what is given is of use to anybody.
  package var isWanted: Bool { state.withLock { $0.end == nil && !$0.isAbandoned } }

  // MARK: The loop

  /// Takes what one turn has brought; never waits.
  ///
  /// - Parameters:
  ///   - messages: in their order.
  ///   - time: when they came, in milliseconds since 1970: the disk may be late.
  /// - Returns: whether more is of use to anybody.
  @discardableResult
  package func append(
    _ messages: [RecordedMessage], at time: Int64 = LogTime.now.milliseconds
  ) -> Bool {
    let (isWanted, wakes) = state.withLock { state in
      guard state.end == nil, !state.isAbandoned else { return (false, false) }
      let before = state.bytes
      for message in messages { state.take(message, limitBytes, at: time) }
      return (true, before < Self.wakeBytes && state.bytes >= Self.wakeBytes)
    }
    if wakes { work.signal() }
    return isWanted
  }

  /// No more comes; what waits is still written.
  package func end(_ end: End) {
    state.withLock { $0.end = $0.end ?? end }
    work.signal()
  }

  // MARK: The recorder

  /// Takes all that waits; nothing of it is written yet, so it counts on.
  ///
  /// - Parameter limit: how long to wait where nothing does.
  /// - Returns: the entries, and why no more will come where it is so.
  func next(waiting limit: Duration) -> (entries: [Entry], end: End?) {
    let isIdle = state.withLock { $0.bytes < Self.wakeBytes && $0.end == nil }
    if isIdle {
      _ = work.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1))))
    }
    return state.withLock { state in
      var entries: [Entry] = []
      swap(&entries, &state.entries)
      return (entries, state.end)
    }
  }

  /// So many bytes are written, or nobody will write them.
  func wrote(_ bytes: Int) {
    state.withLock { state in
      state.bytes -= bytes
      guard state.isFull, state.bytes <= 0 else { return }
      state.isFull = false
      for role in [RecordedMessage.Role.metadata, .videoHeader, .audioHeader] {
        if let header = state.missedHeaders[role] {
          state.take(header, .max, at: LogTime.now.milliseconds)
        }
      }
      state.missedHeaders = [:]
    }
  }

  /// Nothing is written any more, whatever comes.
  func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      state.entries = []
      state.bytes = 0
    }
  }
}

extension RecordingIntake.State {
  /// Queues a message, or notes that it is lost.
  fileprivate mutating func take(_ message: RecordedMessage, _ limitBytes: Int, at time: Int64) {
    if !isFull, bytes + message.keptBytes > limitBytes {
      isFull = true
      entries.append(.gap)
    }
    guard !isFull else {
      if message.role.isHeader { missedHeaders[message.role] = message }
      return
    }
    entries.append(.message(message, at: time))
    bytes += message.keptBytes
  }
}

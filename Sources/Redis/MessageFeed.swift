import Synchronization

/// Messages on their way from a loop to the task that reads them, bounded.
final class MessageFeed: Sendable {
  typealias Element = RedisSubscription.Event
  private typealias Reader = CheckedContinuation<Result<Element?, RedisError>, Never>

  private struct Content {
    var waiting: [Element] = []
    var head = 0
    var end: RedisError?
    var reader: Reader?

    var count: Int { waiting.count - head }

    mutating func take() -> Element? {
      guard head < waiting.count else { return nil }
      defer {
        head += 1
        if head == waiting.count {
          waiting.removeAll(keepingCapacity: head <= 256)
          head = 0
        }
      }
      return waiting[head]
    }
  }

  let id: UInt64
  let channels: Set<String>
  private let bound: Int
  private let content = Mutex(Content())

  init(id: UInt64, channels: Set<String>, bound: Int) {
    self.id = id
    self.channels = channels
    self.bound = max(1, bound)
  }

  /// Puts an element at the end.
  ///
  /// - Returns: how many were dropped for it: when the bound is reached, all that wait, since a
  ///   hole in the middle is no better, and `.missed` stands where they were.
  func put(_ element: Element) -> Int {
    let (reader, dropped) = content.withLock { content -> (Reader?, Int) in
      guard content.end == nil else { return (nil, 0) }
      if let reader = content.reader {
        content.reader = nil
        return (reader, 0)
      }
      var dropped = 0
      if content.count >= bound {
        dropped = content.count
        content.waiting = [.missed(.tooSlow)]
        content.head = 0
      }
      content.waiting.append(element)
      return (nil, dropped)
    }
    reader?.resume(returning: .success(element))
    return dropped
  }

  /// Ends the feed once what waits has been read; nothing can be put after it.
  func finish(_ error: RedisError) {
    let reader = content.withLock { content -> Reader? in
      guard content.end == nil else { return nil }
      content.end = error
      defer { content.reader = nil }
      return content.reader
    }
    reader?.resume(returning: Self.last(error))
  }

  /// The next element; nil when the client was closed or the task cancelled.
  func next() async throws(RedisError) -> Element? {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (reader: Reader) in
        let ready = content.withLock { content -> Result<Element?, RedisError>? in
          if let element = content.take() { return .success(element) }
          if let end = content.end { return Self.last(end) }
          // One reads at a time: a second one would have no element of its own.
          guard content.reader == nil, !Task.isCancelled else { return .success(nil) }
          content.reader = reader
          return nil
        }
        if let ready { reader.resume(returning: ready) }
      }
    } onCancel: {
      let reader = content.withLock { content -> Reader? in
        defer { content.reader = nil }
        return content.reader
      }
      reader?.resume(returning: .success(nil))
    }
    return try result.get()
  }

  private static func last(_ error: RedisError) -> Result<Element?, RedisError> {
    error == .closed ? .success(nil) : .failure(error)
  }
}

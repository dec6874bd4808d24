import Synchronization

/// A value that one writes and others read, or follow.
final class Board<Value: Sendable>: Sendable {
  private struct Content {
    var value: Value
    var readers: [Int: AsyncStream<Value>.Continuation] = [:]
    var nextReader = 0
  }

  private let content: Mutex<Content>

  init(_ value: Value) { content = Mutex(Content(value: value)) }

  deinit { for reader in content.withLock({ Array($0.readers.values) }) { reader.finish() } }

  var value: Value { content.withLock { $0.value } }

  /// Sets the value and tells who follows.
  func set(_ value: Value) {
    let readers = content.withLock { content in
      content.value = value
      return Array(content.readers.values)
    }
    for reader in readers { reader.yield(value) }
  }

  /// The value now, then each later one; who is slow sees the newest.
  func changes() -> AsyncStream<Value> {
    let (stream, reader) = AsyncStream.makeStream(
      of: Value.self, bufferingPolicy: .bufferingNewest(1))
    let number = content.withLock { content in
      content.nextReader += 1
      content.readers[content.nextReader] = reader
      reader.yield(content.value)
      return content.nextReader
    }
    reader.onTermination = { [weak self] _ in
      self?.content.withLock { _ = $0.readers.removeValue(forKey: number) }
    }
    return stream
  }
}

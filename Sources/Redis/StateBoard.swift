import Synchronization

/// What others see of a client's state; written by its loop alone.
final class StateBoard: Sendable {
  private struct Content {
    var state = RedisState.connecting
    var readers: [UInt64: AsyncStream<RedisState>.Continuation] = [:]
    var nextReader: UInt64 = 0
  }

  private let content = Mutex(Content())

  var state: RedisState { content.withLock { $0.state } }

  /// Sets the state and tells who reads; the last one is `.closed`.
  func set(_ state: RedisState) {
    content.withLock { content in
      guard content.state != state, content.state != .closed else { return }
      content.state = state
      for reader in content.readers.values { reader.yield(state) }
      guard state == .closed else { return }
      for reader in content.readers.values { reader.finish() }
      content.readers = [:]
    }
  }

  /// The state now, then each later one; who is slow sees the newest.
  func changes() -> AsyncStream<RedisState> {
    let (stream, reader) = AsyncStream.makeStream(
      of: RedisState.self, bufferingPolicy: .bufferingNewest(1))
    let number = content.withLock { content -> UInt64? in
      reader.yield(content.state)
      guard content.state != .closed else { return nil }
      content.nextReader += 1
      content.readers[content.nextReader] = reader
      return content.nextReader
    }
    guard let number else {
      reader.finish()
      return stream
    }
    reader.onTermination = { [weak self] _ in
      self?.content.withLock { _ = $0.readers.removeValue(forKey: number) }
    }
    return stream
  }
}

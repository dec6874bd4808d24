import Synchronization

/// Wakes a loop: rung by others, or by the clock; rings while it is busy count once.
final class Bell: Sendable {
  private let listener = Mutex<AsyncStream<Void>.Continuation?>(nil)

  /// Wakes the loop, or lets it go round once more.
  func ring() { _ = listener.withLock { $0?.yield() } }

  /// Runs a piece of work now, then each time the bell is rung and at least every `interval`,
  /// until the task is cancelled.
  ///
  /// - Parameters:
  ///   - interval: the longest time from one round to the next.
  ///   - pause: the shortest one, however often it is rung.
  ///   - work: one round.
  func loop(
    every interval: Duration, pause: Duration = .milliseconds(20),
    _ work: @Sendable () async -> Void
  ) async {
    let (rings, listener) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    self.listener.withLock { $0 = listener }
    listener.yield()
    let ticker = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: interval)
        listener.yield()
      }
    }
    defer { ticker.cancel() }
    for await _ in rings {
      await work()
      try? await Task.sleep(for: min(pause, interval))
    }
  }
}

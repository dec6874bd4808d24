import Synchronization

/// Waits for an answer of a store no longer than a limit: a disk can stall, and never say so.
///
/// The work goes on after that in a task of its own, and what it comes to is dropped: nothing can
/// take a call back that the kernel has.
///
/// - Parameters:
///   - limit: how long to wait.
///   - work: what may never return.
/// - Returns: what the work returns within the limit.
/// - Throws: what the work throws; `.stalled` where the limit is over.
package func waiting<Value: Sendable>(
  atMost limit: Duration, for work: @escaping @Sendable () async throws(StoreError) -> Value
) async throws(StoreError) -> Value {
  let result = await withCheckedContinuation { continuation in
    let race = Race<Result<Value, StoreError>>(continuation)
    let timer = Task {
      try? await Task.sleep(for: limit)
      race.end(.failure(.stalled(limit)))
    }
    Task {
      do throws(StoreError) {
        race.end(.success(try await work()))
      } catch {
        race.end(.failure(error))
      }
      timer.cancel()
    }
  }
  return try result.get()
}

/// Takes the first of several answers.
private final class Race<Value: Sendable>: Sendable {
  private let waiting: Mutex<CheckedContinuation<Value, Never>?>

  init(_ continuation: CheckedContinuation<Value, Never>) { waiting = Mutex(continuation) }

  func end(_ value: Value) {
    let continuation = waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    continuation?.resume(returning: value)
  }
}

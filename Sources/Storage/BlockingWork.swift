import Dispatch

/// Threads for work that waits for a disk or computes for long: hashing, copying, syncing.
///
/// The concurrency pool has one thread a core, and others need them.
enum BlockingWork {
  private static let queue = DispatchQueue(label: "wedlive-storage", attributes: .concurrent)

  /// Runs work on another thread, and waits for it.
  static func run<Value: Sendable>(
    _ work: @escaping @Sendable () throws(StorageError) -> Value
  ) async throws(StorageError) -> Value {
    let result: Result<Value, StorageError> = await withCheckedContinuation { continuation in
      queue.async {
        let result: Result<Value, StorageError>
        do throws(StorageError) {
          result = .success(try work())
        } catch {
          result = .failure(error)
        }
        continuation.resume(returning: result)
      }
    }
    return try result.get()
  }
}

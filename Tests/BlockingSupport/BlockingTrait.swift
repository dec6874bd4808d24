import Dispatch
package import Testing

/// Runs tests that wait on sockets or processes on threads of their own.
///
/// On the concurrency pool, two of them on a machine of two cores would keep all that is
/// asynchronous from ever running.
package struct BlockingTrait: TestTrait, SuiteTrait, TestScoping {
  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @Sendable @concurrent () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(DispatchExecutor.shared) { try await function() }
  }
}

extension Trait where Self == BlockingTrait {
  package static var blocking: Self { BlockingTrait() }
}

private final class DispatchExecutor: TaskExecutor {
  static let shared = DispatchExecutor()

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    DispatchQueue.global().async { [self] in
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}

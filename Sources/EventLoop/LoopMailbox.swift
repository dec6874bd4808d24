import CLinux
import Glibc
import Synchronization

/// The one thing of a loop that other threads may hold: work put in here runs on the loop.
///
/// Work is run in the order it was submitted, in the next turn. A burst costs one wake-up.
package final class LoopMailbox: Sendable {
  package typealias Work = @Sendable (Loop) -> Void

  private struct State {
    var work: [Work] = []
    var isOpen = true
  }

  private let state = Mutex(State())
  let wakeDescriptor: Int32

  init() throws(SystemError) {
    wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard wakeDescriptor >= 0 else { throw SystemError("eventfd", errno) }
  }

  deinit { close(wakeDescriptor) }

  /// Hands work to the loop.
  ///
  /// - Returns: false when the loop has ended; the work is then dropped.
  @discardableResult
  package func submit(_ work: @escaping Work) -> Bool {
    let (accepted, wake) = state.withLock { state -> (Bool, Bool) in
      guard state.isOpen else { return (false, false) }
      state.work.append(work)
      return (true, state.work.count == 1)
    }
    if wake { self.wake() }
    return accepted
  }

  /// Runs work on the loop and waits for what it returns.
  ///
  /// - Throws: `LoopEnded` when the loop has ended, or what the work throws.
  package func run<Value: Sendable>(
    _ work: @escaping @Sendable (Loop) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let accepted = submit { loop in continuation.resume(with: Result { try work(loop) }) }
      if !accepted { continuation.resume(throwing: LoopEnded()) }
    }
  }

  /// Runs work on the loop and waits until it says that it is done; at once where the loop has
  /// ended.
  ///
  /// - Parameter work: calls `done` once, on the loop, when what it began is over.
  package func wait(
    for work: @escaping @Sendable (Loop, _ done: @escaping @Sendable () -> Void) -> Void
  ) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let accepted = submit { loop in work(loop) { continuation.resume() } }
      if !accepted { continuation.resume() }
    }
  }

  /// Takes all that is waiting; `spare` (emptied) becomes the new list, so that both are reused.
  func take(_ spare: inout [Work]) {
    spare.removeAll(keepingCapacity: true)
    state.withLock { swap(&$0.work, &spare) }
  }

  /// Refuses new work from now on and hands out the last of the old.
  func end() -> [Work] {
    state.withLock { state in
      state.isOpen = false
      defer { state.work = [] }
      return state.work
    }
  }

  private func wake() {
    var one: UInt64 = 1
    _ = unsafe write(wakeDescriptor, &one, 8)
  }

  func clear() {
    var count: UInt64 = 0
    _ = unsafe read(wakeDescriptor, &count, 8)
  }
}

/// The loop has ended, so work for it can't run any more.
package struct LoopEnded: Error, Sendable {
  package init() {}
}

/// Lets an actor live on a loop: its jobs run there, in order.
///
/// Jobs that come after the loop has ended run on the caller's thread, since a job may not be
/// dropped; by then nobody else touches the loop's state.
package final class LoopExecutor: SerialExecutor {
  private let mailbox: LoopMailbox

  package init(_ mailbox: LoopMailbox) { self.mailbox = mailbox }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = unsafe asUnownedSerialExecutor()
    let accepted = mailbox.submit { _ in unsafe job.runSynchronously(on: executor) }
    if !accepted { unsafe job.runSynchronously(on: executor) }
  }
}

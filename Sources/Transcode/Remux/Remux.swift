import CLinux
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Makes movies, pictures and an index of a recording, in a child process.
package enum Remux {
  /// Does a job.
  ///
  /// The files stand in the folder under the names that the result says when it returns, and have
  /// reached the disk; what was there under these names before is replaced. Cancelling the task, or
  /// a failure, leaves nothing behind.
  ///
  /// - Parameters:
  ///   - job: the parts, which are only read.
  ///   - folder: on a disk with room for the parts twice (once without `makesPlayback`).
  ///   - executable: this binary, also where it has been replaced on disk.
  ///   - progress: is given 0...1, a few times a second at most, on a thread of its own.
  /// - Returns: what was made.
  /// - Throws: `RemuxError`, with words for a person.
  package static func run(
    _ job: RemuxJob, into folder: String, executable: String = "/proc/self/exe",
    progress: @escaping @Sendable (Double) -> Void = { _ in }
  ) async throws(RemuxError) -> RemuxResult {
    let leash = RemuxLeash()
    let result: Result<RemuxResult, RemuxError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let work: @Sendable () -> Void = {
          continuation.resume(
            returning: outcome(job, folder, executable, leash: leash, progress: progress))
        }
        do throws(TranscodeError) {
          try WorkerThread.start("remux", work)
        } catch {
          continuation.resume(returning: .failure(RemuxError(.resources, error.message)))
        }
      }
    } onCancel: {
      leash.cancel()
    }
    return try result.get()
  }

  private static func outcome(
    _ job: RemuxJob, _ folder: String, _ executable: String, leash: RemuxLeash,
    progress: @Sendable (Double) -> Void
  ) -> Result<RemuxResult, RemuxError> {
    do throws(RemuxError) {
      var files = try RemuxFiles(job, folder: folder)
      do throws(RemuxError) {
        let result = try exchange(job, &files, executable, leash: leash, progress: progress)
        try files.keep(result)
        return .success(result)
      } catch {
        files.discard()
        throw error
      }
    } catch {
      return .failure(
        leash.isCancelled ? RemuxError(.cancelled, "the work was cancelled") : error)
    }
  }

  /// Starts the child and listens to it until it has ended.
  private static func exchange(
    _ job: RemuxJob, _ files: inout RemuxFiles, _ executable: String, leash: RemuxLeash,
    progress: @Sendable (Double) -> Void
  ) throws(RemuxError) -> RemuxResult {
    var order = RemuxOrder(job)
    order.limits.fileBytes = UInt64(files.largestMovie)
    let process: WorkerProcess
    do throws(TranscodeError) {
      process = try WorkerProcess(
        command: RemuxWorker.command, arguments: order.arguments, files: files.descriptors,
        limits: order.limits, executable: executable)
    } catch {
      throw RemuxError(.resources, error.message)
    }
    guard leash.hold(process) else { throw RemuxError(.cancelled, "the work was cancelled") }
    defer { leash.release() }
    var reader = RemuxReader(process, patience: job.hangTimeout)
    while let message = try reader.next() {
      switch message {
      case .progress(let value): progress(Double(value) / 1_000)
      case .file(let item, let bytes): try files.write(item, bytes)
      case .result(let json):
        let result = try RemuxReader.result(json)
        progress(1)
        return result
      case .failed(let code, let words): throw RemuxReader.error(code, words)
      }
    }
    throw RemuxError(
      .crashed, "the remux worker was lost (\(process.wait())): the recording may be broken")
  }
}

/// What a cancelled task ends the child by.
private final class RemuxLeash: Sendable {
  private let state = Mutex<(process: WorkerProcess?, isCancelled: Bool)>((nil, false))

  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// - Returns: false if the task is cancelled already; the child is then ended by letting it go.
  func hold(_ process: WorkerProcess) -> Bool {
    state.withLock { state in
      state.process = process
      return !state.isCancelled
    }
  }

  func release() { state.withLock { $0.process = nil } }

  func cancel() {
    let process = state.withLock { state in
      state.isCancelled = true
      return state.process
    }
    process?.stop()
  }
}

import CLinux
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// How a worker ended.
package enum WorkerExit: Equatable, Sendable, CustomStringConvertible {
  case exited(status: CInt)
  case killed(signal: CInt)

  package var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .killed(let signal): "killed by signal \(signal)"
    }
  }
}

/// The parent's side of a worker: a child process of the same binary, and the socket to it.
///
/// The child gets the descriptors it needs and no more: the socket, the files that it is given, and
/// `/dev/null` as standard input, output and error. Its environment is empty but for the time
/// zone and where libraries lie, so no secret of the node's is in it. It leads a process group of
/// its own: ^C on a terminal ends the parent, and the closing socket ends the child.
///
/// Not swift-subprocess: it ties a child to the scope of one async call and hands it standard
/// input, output and error only; a worker belongs to a connection on an event loop, and has further
/// descriptors.
///
/// Reading is the caller's: `descriptor` can be registered on an event loop, or be read by
/// `WorkerReader` on an ordinary thread. Letting go of the object kills the child and reaps it.
package final class WorkerProcess: Sendable {
  /// Where the child finds the socket and the input.
  package static let outputDescriptor: CInt = 3
  package static let inputDescriptor: CInt = 4

  /// The parent's end of the socket: both ways, though a publish worker only writes FLV into it.
  ///
  /// Closed when this object goes.
  package let descriptor: CInt
  package let processID: CInt
  private let ended = Mutex<WorkerExit?>(nil)

  /// Starts a child.
  ///
  /// - Parameters:
  ///   - command: its first argument, such as `publish-worker`.
  ///   - arguments: those that follow.
  ///   - input: a file for it to read; it stays the caller's and may be closed at once.
  ///   - files: more of them, for it to read or write.
  ///   - limits: how much may wait in the socket; the child applies the others itself.
  ///   - isNonBlocking: whether `descriptor` never waits, as an event loop needs it.
  ///   - executable: this binary, also where it has been replaced on disk.
  /// - Throws: `.system` with errno's words.
  package init(
    command: String, arguments: [String], input: CInt? = nil, files: [CInt] = [],
    limits: WorkerLimits = WorkerLimits(), isNonBlocking: Bool = false,
    executable: String = "/proc/self/exe"
  ) throws(TranscodeError) {
    var pair: [CInt] = [-1, -1]
    guard unsafe socketpair(AF_UNIX, Self.closingStream, 0, &pair) == 0 else {
      throw TranscodeError.system("making a socket pair", errno: errno)
    }
    defer { close(pair[1]) }
    var bytes = limits.bufferBytes
    unsafe setsockopt(
      pair[1], SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<CInt>.size))
    do throws(TranscodeError) {
      if isNonBlocking, fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0 {
        throw TranscodeError.system("making a socket non-blocking", errno: errno)
      }
      processID = try SpawnPlan(
        executable: executable, arguments: ["wedlive", command] + arguments, output: pair[1],
        files: (input.map { [$0] } ?? []) + files
      ).spawn()
    } catch {
      close(pair[0])
      throw error
    }
    descriptor = pair[0]
  }

  private static let closingStream = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)

  deinit {
    stop()
    _ = wait()
    close(descriptor)
  }

  /// The parent's end once more, for a loop that closes it on its own.
  ///
  /// - Throws: `.system` where the process has no descriptor left.
  package func duplicateDescriptor() throws(TranscodeError) -> CInt {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw TranscodeError.system("duplicating a socket", errno: errno) }
    return copy
  }

  /// Kills the child, unless it has ended.
  package func stop() {
    ended.withLock { exit in
      if exit == nil { _ = kill(processID, SIGKILL) }
    }
  }

  /// How the child ended; nil while it runs.
  package func exit() -> WorkerExit? {
    ended.withLock { exit in
      if exit == nil { exit = reap() }
      return exit
    }
  }

  /// Waits for the child's end: soon after its socket has ended, or after `stop()`.
  package func wait() -> WorkerExit {
    while true {
      if let exit = exit() { return exit }
      // Waits without reaping, so that `stop()` can never hit another process of the same number.
      var information = unsafe siginfo_t()
      _ = unsafe waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT)
    }
  }

  private func reap() -> WorkerExit? {
    var status: CInt = 0
    let result = unsafe waitpid(processID, &status, WNOHANG)
    if result == 0 { return nil }
    // Somebody else reaped it: nothing is known but that it is gone.
    if result < 0 { return errno == EINTR ? nil : .exited(status: -1) }
    let signal = status & 0x7F
    return signal == 0 ? .exited(status: status >> 8 & 0xFF) : .killed(signal: signal)
  }
}

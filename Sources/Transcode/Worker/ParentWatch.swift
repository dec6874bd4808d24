#if canImport(Glibc)
  import Glibc
#endif

/// Ends a worker when its parent is gone, also while it is stuck inside libav.
///
/// Not `PR_SET_PDEATHSIG`: that signal comes when the *thread* that started the worker ends, which
/// may be long before the process does. The socket's other end closes with the process.
enum ParentWatch {
  /// Waits for the hang-up on a thread of its own.
  static func start(_ descriptor: CInt) throws(TranscodeError) {
    try WorkerThread.start("parent watch") {
      // What is asked for is a hang-up only, which poll always reports.
      var poller = pollfd(fd: descriptor, events: 0, revents: 0)
      while unsafe poll(&poller, 1, -1) < 0, errno == EINTR {}
      _exit(0)
    }
  }
}

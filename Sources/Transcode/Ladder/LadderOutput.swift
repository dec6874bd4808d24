import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The worker's way out: whole messages into the socket, from any thread.
///
/// A thread waits while the socket is full; that is how the parent's pace becomes the worker's.
final class LadderOutput: Sendable {
  private let descriptor: CInt
  private let turn = Mutex(())

  init(descriptor: CInt) { self.descriptor = descriptor }

  /// Sends messages, none of another thread's between them.
  ///
  /// The process ends when nobody reads any more.
  func send(_ events: [LadderEvent]) {
    if events.isEmpty { return }
    var bytes: [UInt8] = []
    for event in events { event.append(to: &bytes) }
    turn.withLock { _ in
      if !WorkerSocket.write(bytes, to: descriptor) { _exit(0) }
    }
  }

  /// Says why the worker can't go on, and ends the process.
  func fail(_ error: TranscodeError) -> Never {
    send([.failed(error)])
    _exit(CInt(error.code.rawValue))
  }

  /// Does what may fail; a failure ends the process.
  func orFail<Value: ~Copyable>(_ body: () throws(TranscodeError) -> Value) -> Value {
    do throws(TranscodeError) { return try body() } catch { fail(error) }
  }
}

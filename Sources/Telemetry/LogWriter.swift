import Dispatch
import Glibc
import Synchronization

/// Writes log lines on a thread of its own, behind a queue with a bound.
///
/// A log may be a pipe that nobody reads: whoever has something to say never waits for it. What
/// doesn't fit is lost and counted, and a line says how many were lost where they would have stood.
/// After a loss nothing is taken until half of the queue is free: a gap is one, not many.
final class LogWriter: Sendable {
  private enum Entry {
    case line([UInt8])
    /// So many were lost here.
    case gap(Int)
  }

  private struct State {
    var entries: [Entry] = []
    /// Bytes of all lines in `entries`, and of those being written.
    var bytes = 0
    /// Lost, and not told yet.
    var lost = 0
    /// Whether the descriptor took what it was given last.
    var flows = true
    /// Whether the thread waits for `work`.
    var isIdle = false
    var isClosed = false
    var waiting: [DispatchSemaphore] = []
  }

  private let descriptor: Int32
  private let capacity: Int
  private let gap: @Sendable (Int) -> [UInt8]
  private let state = Mutex(State())
  private let work = DispatchSemaphore(value: 0)
  /// Lines that were lost.
  let dropped = Counter()

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - descriptor: open for writing until `close()` and what was queued then is written.
  ///   - capacity: bytes of lines that wait.
  ///   - gap: makes the line that tells a number of lost ones.
  init(descriptor: Int32, capacity: Int, gap: @escaping @Sendable (Int) -> [UInt8]) {
    self.descriptor = descriptor
    self.capacity = capacity
    self.gap = gap
    let context = unsafe Unmanaged.passRetained(self)
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<LogWriter>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      // No thread, no log: its lines are counted.
      unsafe context.release()
      state.withLock { $0.isClosed = true }
      return
    }
    pthread_detach(thread)
  }

  /// Queues a line, whole or not at all; never waits for the descriptor.
  func write(_ line: [UInt8]) {
    let (fits, wakes) = state.withLock { state in
      let room = state.lost == 0 ? capacity : capacity / 2
      guard !state.isClosed, state.bytes + line.count <= room else {
        state.lost += 1
        return (false, false)
      }
      if state.lost > 0 { state.entries.append(.gap(state.lost)) }
      state.lost = 0
      state.entries.append(.line(line))
      state.bytes += line.count
      defer { state.isIdle = false }
      return (true, state.isIdle)
    }
    if !fits { dropped.increment() }
    if wakes { work.signal() }
  }

  /// Waits until all that is queued is written.
  ///
  /// - Parameter limit: how long at most.
  /// - Returns: whether it is.
  @discardableResult func settle(within limit: Duration) -> Bool {
    let done = DispatchSemaphore(value: 0)
    let isDone = state.withLock { state in
      if state.isIdle || state.isClosed && state.entries.isEmpty { return true }
      state.waiting.append(done)
      return false
    }
    if isDone { return true }
    let milliseconds = Int(limit / .milliseconds(1))
    return done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
  }

  /// Ends the thread once what is queued is written.
  func close() {
    state.withLock {
      $0.isClosed = true
      $0.isIdle = false
    }
    work.signal()
  }

  private func run() {
    while true {
      let (entries, isClosed) = next()
      for entry in entries { put(entry) }
      if entries.isEmpty {
        if isClosed { return }
        work.wait()
      }
    }
  }

  /// Takes all that is queued; nothing of it is written yet, so it counts on.
  private func next() -> ([Entry], Bool) {
    let (entries, isClosed, waiting) = state.withLock { state in
      if state.entries.isEmpty, state.lost > 0, state.flows {
        state.entries = [.gap(state.lost)]
        state.lost = 0
      }
      var waiting: [DispatchSemaphore] = []
      if state.entries.isEmpty {
        state.isIdle = !state.isClosed
        swap(&waiting, &state.waiting)
      }
      var entries: [Entry] = []
      swap(&entries, &state.entries)
      return (entries, state.isClosed, waiting)
    }
    for waiter in waiting { waiter.signal() }
    return (entries, isClosed)
  }

  private func put(_ entry: Entry) {
    switch entry {
    case .line(let line):
      let isWritten = put(line)
      if !isWritten { dropped.increment() }
      state.withLock { state in
        state.bytes -= line.count
        state.flows = isWritten
        if !isWritten { state.lost += 1 }
      }
    case .gap(let count):
      let isWritten = put(gap(count))
      state.withLock { state in
        state.flows = isWritten
        if !isWritten { state.lost += count }
      }
    }
  }

  /// Writes a line whole.
  ///
  /// - Returns: whether the descriptor took it: a full disk or a closed pipe doesn't.
  private func put(_ line: [UInt8]) -> Bool {
    unsafe line.withUnsafeBytes { buffer in
      var sent = 0
      while sent < buffer.count {
        let count = unsafe Glibc.write(
          descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
        if count > 0 {
          sent += count
        } else if errno == EAGAIN {
          // Somebody made it non-blocking: the thread may wait all the same.
          var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          unsafe poll(&ready, 1, -1)
        } else if errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}

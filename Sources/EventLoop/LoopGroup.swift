import CLinux
import Glibc
import Synchronization

/// The loops of a process, a thread each.
package final class LoopGroup: Sendable {
  /// How to reach each loop, in the order of their index.
  package let mailboxes: [LoopMailbox]
  private let threads: [LoopThread]

  /// Starts the loops; each runs `setUp` on its own thread before its first turn.
  ///
  /// - Parameters:
  ///   - count: how many; by default one for each core this process may use.
  ///   - pinned: whether loop i stays on core i.
  ///   - setUp: builds what lives on the loop.
  /// - Throws: `SystemError` when a thread or a descriptor can't be had; none is left running then.
  package init(
    count: Int = LoopGroup.cores, pinned: Bool = false,
    setUp: @escaping @Sendable (Loop) -> Void = { _ in }
  ) throws(SystemError) {
    var threads: [LoopThread] = []
    do throws(SystemError) {
      for index in 0..<max(1, count) {
        threads.append(
          try LoopThread(index: index, core: pinned ? index : nil, setUp: setUp))
      }
    } catch {
      for thread in threads { thread.stop() }
      throw error
    }
    self.threads = threads
    mailboxes = threads.map(\.mailbox)
  }

  /// How many cores this process may run on.
  package static var cores: Int {
    max(1, Int(wl_cores()))
  }

  /// Runs work on every loop, in no order among them, and returns when each has done it.
  package func onEach(_ work: @escaping @Sendable (Loop) throws -> Void) async throws {
    for mailbox in mailboxes { try await mailbox.run(work) }
  }

  /// Hands the same work to every loop without waiting.
  package func submitToAll(_ work: @escaping LoopMailbox.Work) {
    for mailbox in mailboxes { mailbox.submit(work) }
  }

  /// Ends every loop and waits for their threads.
  ///
  /// Not to be called from one of them.
  package func stop() {
    submitToAll { $0.stop() }
    for thread in threads { thread.join() }
  }
}

/// The thread a loop runs on.
private final class LoopThread: Sendable {
  let mailbox: LoopMailbox
  private let handle: Mutex<pthread_t?>

  private final class Start: @unchecked Sendable {
    // Handed over by pthread_create: the creator does not touch it afterwards.
    let loop: Loop
    let core: Int?
    let setUp: @Sendable (Loop) -> Void

    init(_ loop: Loop, _ core: Int?, _ setUp: @escaping @Sendable (Loop) -> Void) {
      self.loop = loop
      self.core = core
      self.setUp = setUp
    }
  }

  init(
    index: Int, core: Int?, setUp: @escaping @Sendable (Loop) -> Void
  ) throws(SystemError) {
    let loop = try Loop(index: index)
    mailbox = loop.mailbox
    let start = unsafe Unmanaged.passRetained(Start(loop, core, setUp))
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        unsafe wl_name_thread("loop-\(start.loop.index)")
        if let core = start.core { _ = wl_pin_thread(Int32(core)) }
        start.setUp(start.loop)
        start.loop.run()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      unsafe start.release()
      throw SystemError("pthread_create", code)
    }
    handle = Mutex(thread)
  }

  func join() {
    let thread = handle.withLock { handle in
      defer { handle = nil }
      return handle
    }
    if let thread { pthread_join(thread, nil) }
  }

  func stop() {
    mailbox.submit { $0.stop() }
    join()
  }
}

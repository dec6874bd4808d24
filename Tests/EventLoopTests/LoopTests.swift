import EventLoop
import Foundation
import Glibc
import Synchronization
import Testing

/// Echoes what it receives, at most `budget` bytes a turn.
private final class EchoChannel: Channel {
  var received = 0
  let whenClosed: () -> Void
  var pending: [UInt8] = []

  init(_ socket: consuming Socket, on loop: Loop, whenClosed: @escaping () -> Void) {
    self.whenClosed = whenClosed
    super.init(socket, on: loop)
  }

  override func readable() {
    let result = loop.receive(self) { bytes in
      received += bytes.count
      unsafe bytes.withUnsafeBufferPointer { unsafe pending.append(contentsOf: $0) }
    }
    switch result {
    case .bytes(let count):
      loop.flushLater(self)
      if count == loop.scratchBytes { loop.again(self) }
    case .wouldBlock: return
    case .closed, .failed: loop.close(self)
    }
  }

  override func writable() { flush() }

  override func flush() {
    while !pending.isEmpty {
      let sent = unsafe pending.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      switch sent {
      case .bytes(let count): pending.removeFirst(count)
      case .wouldBlock: return
      case .closed, .failed: return loop.close(self)
      }
    }
  }

  override func timedOut() { loop.close(self) }
  override func closed() { whenClosed() }
}

/// Where a signal's handler writes to, and how long it takes.
private let interruption = Mutex((end: Int32(-1), until: MonotonicTime.now))

/// Whatever comes takes its deadline away.
private final class Patient: Channel {
  private(set) var isWritable = false
  private(set) var hasRead = false
  private(set) var isOver = false

  override func readable() {
    if case .bytes = loop.receive(self, { _ in }) { hasRead = true }
    loop.setDeadline(self, nil)
  }

  override func writable() { isWritable = true }
  override func timedOut() { isOver = true }
}

@Suite(.serialized) struct `Event loop` {
  /// A loop with an echo server on it, and the port it listens on.
  private func server(_ loop: Loop, deadline: Duration? = nil) throws -> UInt16 {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    let socket = try Socket.listening(on: address)
    let port = socket.localAddress.port
    let listener = Listener(socket, on: loop) { socket, _ in
      let echo = EchoChannel(socket, on: loop) {}
      try? loop.add(echo)
      if let deadline { loop.setDeadline(echo, loop.now + deadline) }
    }
    try loop.add(listener)
    return port
  }

  private func connect(_ port: UInt16) throws -> Int32 {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let result = address.connect(client)
    try #require(result == 0)
    return client
  }

  private func turns(_ loop: Loop, until done: () -> Bool) {
    let end = MonotonicTime.now + .seconds(120)
    while !done(), MonotonicTime.now < end { loop.turn(maximumWait: .milliseconds(50)) }
  }

  @Test func `a megabyte comes back whole through an edge-triggered echo`() throws {
    let loop = try Loop()
    let port = try server(loop)
    let client = try connect(port)
    defer { close(client) }
    _ = fcntl(client, F_SETFL, O_NONBLOCK)
    let sent = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var offset = 0
    var back: [UInt8] = []
    turns(loop) {
      if offset < sent.count {
        let count = unsafe sent.withUnsafeBytes {
          unsafe write(client, $0.baseAddress! + offset, sent.count - offset)
        }
        if count > 0 { offset += count }
      }
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = unsafe read(client, &buffer, buffer.count)
      if count > 0 { back += buffer[..<count] }
      return back.count == sent.count
    }
    #expect(back == sent)
  }

  @Test func `a deadline closes a silent connection`() throws {
    let loop = try Loop()
    let port = try server(loop, deadline: .milliseconds(30))
    let client = try connect(port)
    defer { close(client) }
    turns(loop) { loop.channelCount == 2 }
    #expect(loop.channelCount == 2)
    turns(loop) { loop.channelCount == 1 }
    #expect(loop.channelCount == 1)
  }

  @Test func `what has come while the process was stopped goes before deadlines`() throws {
    let loop = try Loop()
    var ends: [Int32] = [0, 0]
    let made = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
    try #require(made == 0)
    defer { close(ends[1]) }
    let channel = Patient(Socket(owning: ends[0]), on: loop)
    try loop.add(channel)
    turns(loop) { channel.isWritable }
    let deadline = MonotonicTime.now + .seconds(2)
    loop.setDeadline(channel, deadline)
    // A signal that is handled for longer than that: to the loop it is the same.
    interruption.withLock { $0 = (ends[1], deadline + .milliseconds(10)) }
    signal(SIGWINCH) { _ in
      let (end, until) = interruption.withLock { $0 }
      while MonotonicTime.now < until {}
      _ = unsafe write(end, "a", 1)
    }
    defer { signal(SIGWINCH, SIG_DFL) }
    let thread = pthread_self()
    // Threads of tests hear no signals.
    var (mask, before) = (sigset_t(), sigset_t())
    unsafe sigaddset(&mask, SIGWINCH)
    unsafe pthread_sigmask(SIG_UNBLOCK, &mask, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    Thread { pthread_kill(thread, SIGWINCH) }.start()
    turns(loop) { channel.hasRead || channel.isOver }
    #expect(channel.hasRead)
    #expect(!channel.isOver)
  }

  @Test func `a name of a closed channel finds nothing, also when its slot is in use again`() throws
  {
    let loop = try Loop()
    let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    let first = Listener(try Socket.listening(on: address), on: loop) { _, _ in }
    try loop.add(first)
    let stale = first.id
    loop.close(first)
    let second = Listener(try Socket.listening(on: address), on: loop) { _, _ in }
    try loop.add(second)
    #expect(loop.channel(stale) == nil)
    #expect(loop.channel(second.id) === second)
  }

  @Test func `work from other threads runs in order on the loop's own`() async throws {
    let group = try LoopGroup(count: 2)
    let log = Mutex<[Int]>([])
    for index in 0..<1_000 {
      group.mailboxes[0].submit { loop in
        log.withLock { $0.append(loop.index == 0 ? index : -1) }
      }
    }
    let sum = try await group.mailboxes[1].run { loop in loop.index + 41 }
    try await group.onEach { _ in }
    #expect(sum == 42)
    #expect(log.withLock { $0 } == Array(0..<1_000))
    group.stop()
    await #expect(throws: LoopEnded.self) { try await group.mailboxes[0].run { _ in } }
  }

  @Test func `work that goes on is waited for, and none on a loop that has ended`() async throws {
    let group = try LoopGroup(count: 1)
    let isOver = Mutex(false)
    await group.mailboxes[0].wait { loop, done in
      loop.schedule(after: .milliseconds(1)) {
        isOver.withLock { $0 = true }
        done()
      }
    }
    #expect(isOver.withLock { $0 })
    group.stop()
    await group.mailboxes[0].wait { _, _ in }
  }

  @Test func `an actor can live on a loop`() async throws {
    actor Resident {
      let executor: LoopExecutor
      nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
      }
      init(_ executor: LoopExecutor) { self.executor = executor }
      func thread() -> pthread_t { pthread_self() }
    }
    let group = try LoopGroup(count: 1)
    let resident = Resident(LoopExecutor(group.mailboxes[0]))
    let loopThread = try await group.mailboxes[0].run { _ in UInt(pthread_self()) }
    #expect(UInt(await resident.thread()) == loopThread)
    group.stop()
  }

  @Test func `scheduled work runs once, and cancelled work never`() throws {
    let loop = try Loop()
    var ran: [Int] = []
    loop.schedule(after: .milliseconds(20)) { ran.append(2) }
    let cancelled = loop.schedule(after: .milliseconds(15)) { ran.append(0) }
    loop.schedule(after: .milliseconds(1)) { ran.append(1) }
    loop.cancel(cancelled)
    turns(loop) { ran.count == 2 }
    #expect(ran == [1, 2])
  }

  #if DEBUG
    @Test func `a listener without descriptors says so, rests, and goes on`() throws {
      let loop = try Loop()
      let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
      let socket = try Socket.listening(on: address)
      let port = socket.localAddress.port
      var failures: [SystemError] = []
      var accepted = 0
      let listener = Listener(socket, on: loop, rested: { failures.append($0) }) { _, _ in
        accepted += 1
      }
      try loop.add(listener)
      SystemCallFault.arm(1, EMFILE)
      defer { SystemCallFault.disarm() }
      let client = try connect(port)
      defer { close(client) }
      turns(loop) { accepted == 1 }
      #expect(accepted == 1)
      #expect(failures.map(\.code) == [EMFILE])
    }

    @Test(arguments: [EINTR, EAGAIN, ECONNRESET, ENOBUFS, EMFILE, SystemCallFault.shortWrite])
    func `whichever system call fails, the loop goes on and serves the next client`(
      error: Int32
    ) throws {
      for n in 1...8 {
        let loop = try Loop()
        let port = try server(loop)
        let client = try connect(port)
        SystemCallFault.arm(n, error)
        _ = unsafe write(client, "hello", 5)
        for _ in 0..<4 { loop.turn(maximumWait: .milliseconds(2)) }
        SystemCallFault.disarm()
        close(client)
        let next = try connect(port)
        _ = unsafe write(next, "again", 5)
        _ = fcntl(next, F_SETFL, O_NONBLOCK)
        var buffer = [UInt8](repeating: 0, count: 16)
        var count = 0
        turns(loop) {
          count = unsafe read(next, &buffer, 16)
          return count > 0
        }
        #expect(count == 5, "call \(n) failing with \(error)")
        close(next)
      }
    }
  #endif

  @Test func `addresses are read and written the way people write them`() throws {
    #expect(SocketAddress(host: "127.0.0.1", port: 1935)?.description == "127.0.0.1:1935")
    #expect(SocketAddress(host: "[::1]", port: 443)?.description == "[::1]:443")
    #expect(SocketAddress(host: "::ffff:10.0.0.1", port: 1)?.host == "10.0.0.1")
    #expect(SocketAddress(host: "localhost", port: 1) == nil)
    let taken = try Socket.listening(on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    #expect(taken.localAddress.port != 0)
    #expect(throws: SystemError.self) {
      _ = try Socket.listening(on: try #require(SocketAddress(host: "192.0.2.1", port: 1)))
    }
  }
}

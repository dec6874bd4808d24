import CLinux
import Glibc

/// One thread's event loop: epoll, timers, and the channels that live and die here.
///
/// Nothing of it is `Sendable`; other threads reach it through its `mailbox` alone. A turn is:
/// wait, mailbox and events, timers, channels to resume, then the flushes; channels closed on the
/// way are let go at its end.
@safe
package final class Loop {
  package typealias Work = () -> Void

  /// Its place, from 0, in its group; also the core it is pinned to, where it is.
  package let index: Int
  package let mailbox: LoopMailbox
  /// The time, read once a turn.
  package private(set) var now: MonotonicTime
  /// Turns taken, events seen, mailbox items run.
  package private(set) var counters = LoopCounters()

  private let epoll: Int32
  private let events: UnsafeMutableBufferPointer<epoll_event>
  private let scratchBuffer: UnsafeMutableRawBufferPointer
  private var slots: [Channel?] = []
  private var generations: [UInt32] = []
  private var freeSlots: [Int] = []
  private var graveyard: [Channel] = []
  private var againQueue: [ChannelID] = []
  private var againSpare: [ChannelID] = []
  private var flushQueue: [ChannelID] = []
  private var flushSpare: [ChannelID] = []
  private var mailboxSpare: [LoopMailbox.Work] = []
  private var wheel: TimerWheel
  private var due: [UInt64] = []
  private var timers: [UInt64: (id: TimerID, work: Work)] = [:]
  private var nextTimer: UInt64 = 1 << 63
  private var locals: [ObjectIdentifier: AnyObject] = [:]
  private var stopping = false

  private static let wakeData = UInt64.max
  private static let eventCapacity = 512

  /// Makes a loop; it runs on the thread that calls `run()`.
  ///
  /// - Parameters:
  ///   - index: its place in the group.
  ///   - scratchBytes: the size of the buffer that all its channels read into.
  /// - Throws: `SystemError` when the process has no descriptor left.
  package init(index: Int = 0, scratchBytes: Int = 64 << 10) throws(SystemError) {
    self.index = index
    mailbox = try LoopMailbox()
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw SystemError("epoll_create1", errno) }
    unsafe events = .allocate(capacity: Self.eventCapacity)
    unsafe scratchBuffer = .allocate(byteCount: scratchBytes, alignment: 64)
    now = .now
    wheel = TimerWheel(start: now)
    let added = wl_epoll_ctl(
      epoll, EPOLL_CTL_ADD, mailbox.wakeDescriptor, EPOLLIN.rawValue, Self.wakeData)
    guard added == 0 else { throw SystemError("epoll_ctl", errno) }
  }

  deinit {
    unsafe events.deallocate()
    unsafe scratchBuffer.deallocate()
    Glibc.close(epoll)
  }

  /// How many channels are open.
  package var channelCount: Int { slots.count - freeSlots.count }

  // MARK: Channels

  /// Starts to watch a channel's descriptor.
  ///
  /// - Throws: `SystemError` when the kernel can watch no more; the channel is then not added.
  package func add(_ channel: Channel) throws(SystemError) {
    let slot = freeSlots.popLast() ?? slots.count
    if slot == slots.count {
      slots.append(nil)
      generations.append(0)
    }
    let id = ChannelID(slot: slot, generation: generations[slot])
    let interest =
      EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    guard wl_epoll_ctl(epoll, EPOLL_CTL_ADD, channel.descriptor, interest, id.raw) == 0 else {
      let error = errno
      freeSlots.append(slot)
      throw SystemError("epoll_ctl", error)
    }
    channel.name = id
    slots[slot] = channel
  }

  /// Finds an open channel; nil for one that has been closed, whoever has its slot now.
  package func channel(_ id: ChannelID) -> Channel? {
    guard id.slot < slots.count, generations[id.slot] == id.generation else { return nil }
    return slots[id.slot]
  }

  /// Closes a channel: its descriptor at once, the object at the end of the turn.
  package func close(_ channel: Channel) {
    guard channel.descriptor >= 0 else { return }
    let slot = channel.id.slot
    if slot < slots.count, slots[slot] === channel {
      slots[slot] = nil
      generations[slot] &+= 1
      freeSlots.append(slot)
      graveyard.append(channel)
    }
    if let timer = channel.deadlineTimer { wheel.cancel(timer) }
    channel.deadline = nil
    channel.deadlineTimer = nil
    if channel.isShared { _ = wl_epoll_ctl(epoll, EPOLL_CTL_DEL, channel.descriptor, 0, 0) }
    Socket(owning: channel.descriptor).end()
    channel.socket = -1
    channel.closed()
  }

  /// Every open channel, in no order; for shutdown and status.
  package func forEachChannel(_ body: (Channel) -> Void) {
    for slot in slots.indices { if let channel = slots[slot] { body(channel) } }
  }

  /// Resumes the channel in the next turn, after the events that are waiting by then.
  package func again(_ channel: Channel) {
    guard !channel.isQueuedAgain, !channel.isClosed else { return }
    channel.isQueuedAgain = true
    againQueue.append(channel.id)
  }

  /// Calls the channel's `flush()` once, at the end of this turn.
  package func flushLater(_ channel: Channel) {
    guard !channel.isQueuedForFlush, !channel.isClosed else { return }
    channel.isQueuedForFlush = true
    flushQueue.append(channel.id)
  }

  /// Sets, moves or (nil) takes away the channel's one deadline; moving it later costs nothing.
  package func setDeadline(_ channel: Channel, _ deadline: MonotonicTime?) {
    guard !channel.isClosed else { return }
    let old = channel.deadline
    channel.deadline = deadline
    guard let deadline else { return }
    if let timer = channel.deadlineTimer {
      // A timer that comes too early finds the later deadline and is armed again.
      if let old, old <= deadline { return }
      wheel.cancel(timer)
    }
    channel.deadlineTimer = wheel.add(deadline, payload: channel.id.raw)
  }

  // MARK: Timers

  /// Runs work once, after a duration.
  ///
  /// - Returns: the name to cancel it by.
  @discardableResult
  package func schedule(after duration: Duration, _ work: @escaping Work) -> ScheduledWork {
    let key = nextTimer
    nextTimer &+= 1
    timers[key] = (wheel.add(MonotonicTime.now + duration, payload: key), work)
    return ScheduledWork(key: key)
  }

  /// Takes scheduled work back; nothing happens when it has run.
  package func cancel(_ scheduled: ScheduledWork) {
    if let timer = timers.removeValue(forKey: scheduled.key) { wheel.cancel(timer.id) }
  }

  // MARK: Locals

  /// What the loop keeps for one kind of owner (its server, its table of streams).
  package func local<Local: AnyObject>(_ type: Local.Type) -> Local? {
    locals[ObjectIdentifier(type)] as? Local
  }

  /// Keeps an object of this loop, one for each type.
  package func setLocal<Local: AnyObject>(_ local: Local) {
    locals[ObjectIdentifier(Local.self)] = local
  }

  // MARK: Reading

  /// Reads once into the loop's scratch buffer and lends the bytes out for the length of `body`.
  ///
  /// - Returns: how the read went; `.bytes(scratchBytes)` means that more may be waiting.
  @inline(__always)
  package func receive(
    _ channel: Channel, _ body: (borrowing Span<UInt8>) -> Void
  ) -> IOResult {
    let result = unsafe SystemCall.receive(channel.descriptor, into: scratchBuffer)
    if case .bytes(let count) = result {
      // The scratch buffer outlives the call, and nothing else reads into it meanwhile.
      let bytes = unsafe Span(
        _unsafeElements: UnsafeBufferPointer(
          rebasing: scratchBuffer.assumingMemoryBound(to: UInt8.self)[..<count]))
      body(bytes)
    }
    return result
  }

  /// The size of the scratch buffer.
  package var scratchBytes: Int { unsafe scratchBuffer.count }

  // MARK: Running

  /// Takes turns until `stop()` is called, then closes every channel.
  package func run() {
    while !stopping { turn(maximumWait: .seconds(60)) }
    for work in mailbox.end() { work(self) }
    forEachChannel { close($0) }
    graveyard.removeAll()
    timers.removeAll()
    locals.removeAll()
  }

  /// Ends `run()` at the end of this turn.
  package func stop() { stopping = true }

  /// Takes one turn; waits for at most `maximumWait` when there is nothing to do.
  package func turn(maximumWait: Duration) {
    let count = wait(maximumWait)
    now = .now
    counters.turns &+= 1
    for index in 0..<count {
      unsafe dispatch(events[index].data.u64, events[index].events)
    }
    expireTimers()
    resumeQueued()
    flushQueued()
    graveyard.removeAll(keepingCapacity: true)
  }

  private func wait(_ maximum: Duration) -> Int {
    var timeout: Int32 = 0
    if againQueue.isEmpty, flushQueue.isEmpty, !stopping {
      let sleep = min(maximum, wheel.sleep(from: .now) ?? maximum)
      // Rounded up: waking a moment before a deadline would only spin.
      timeout = Int32(clamping: (sleep.nanoseconds + 999_999) / 1_000_000)
    }
    var count = unsafe epoll_wait(
      epoll, events.baseAddress, Int32(Self.eventCapacity), timeout)
    if count < 0, errno == EINTR {
      // A process that was stopped is told so first: what has come meanwhile goes before timers.
      count = unsafe epoll_wait(epoll, events.baseAddress, Int32(Self.eventCapacity), 0)
    }
    return max(0, Int(count))
  }

  private func dispatch(_ data: UInt64, _ ready: UInt32) {
    if data == Self.wakeData { return runMailbox() }
    let id = ChannelID(raw: data)
    guard let channel = channel(id) else { return }
    counters.events &+= 1
    let over = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
    if ready & over != 0 { channel.hasHungUp = true }
    if ready & (EPOLLIN.rawValue | over) != 0 { channel.readable() }
    if ready & EPOLLOUT.rawValue != 0, !channel.isClosed { channel.writable() }
  }

  private func runMailbox() {
    mailbox.clear()
    mailbox.take(&mailboxSpare)
    counters.mail &+= UInt64(mailboxSpare.count)
    for work in mailboxSpare { work(self) }
    mailboxSpare.removeAll(keepingCapacity: true)
  }

  private func expireTimers() {
    wheel.expire(now, into: &due)
    guard !due.isEmpty else { return }
    for payload in due {
      if payload >= 1 << 63, let timer = timers.removeValue(forKey: payload) {
        timer.work()
      } else if let channel = channel(ChannelID(raw: payload)) {
        expire(channel)
      }
    }
    due.removeAll(keepingCapacity: true)
  }

  private func expire(_ channel: Channel) {
    channel.deadlineTimer = nil
    guard let deadline = channel.deadline else { return }
    if deadline > now {
      channel.deadlineTimer = wheel.add(deadline, payload: channel.id.raw)
    } else {
      channel.deadline = nil
      channel.timedOut()
    }
  }

  private func resumeQueued() {
    guard !againQueue.isEmpty else { return }
    swap(&againQueue, &againSpare)
    for id in againSpare {
      guard let channel = channel(id) else { continue }
      channel.isQueuedAgain = false
      channel.resume()
    }
    againSpare.removeAll(keepingCapacity: true)
  }

  private func flushQueued() {
    // A flush may ask for others (a close that tells its peers): each round takes what is there.
    while !flushQueue.isEmpty {
      swap(&flushQueue, &flushSpare)
      for id in flushSpare {
        guard let channel = channel(id) else { continue }
        channel.isQueuedForFlush = false
        channel.flush()
      }
      flushSpare.removeAll(keepingCapacity: true)
    }
  }
}

/// Names work scheduled on a loop.
package struct ScheduledWork: Hashable, Sendable {
  let key: UInt64
}

/// What a loop has done since it started.
package struct LoopCounters: Equatable, Sendable {
  package var turns: UInt64 = 0
  package var events: UInt64 = 0
  package var mail: UInt64 = 0
}

import TestSupport
import HLS
import Logging
import Media
import Store
import Synchronization
import Testing

@testable import Origin

/// A store that can be made to fail, or to keep everybody waiting.
actor UnreliableStore: StreamNumberStore {
  let memory = MemoryStreamNumbers()
  private var failure: StoreError?
  private var isHeld = false
  private var held: [CheckedContinuation<Void, Never>] = []
  private(set) var extensions = 0

  func fail(_ error: StoreError?) { failure = error }
  func hold() { isHeld = true }

  func letGo() {
    isHeld = false
    for continuation in held { continuation.resume() }
    held = []
  }

  private func answer() async throws(StoreError) {
    if isHeld { await withCheckedContinuation { held.append($0) } }
    if let failure { throw failure }
  }

  func begin(_ name: StreamNumbers.Name, now: Int64) async throws(StoreError) -> StreamNumbers {
    try await answer()
    return try await memory.begin(name, now: now)
  }

  func extend(
    _ numbers: StreamNumbers, now: Int64
  ) async throws(StoreError) -> StreamNumbers.Position {
    extensions += 1
    try await answer()
    return try await memory.extend(numbers, now: now)
  }

  func end(_ numbers: StreamNumbers, now: Int64) async throws(StoreError) {
    try await answer()
    try await memory.end(numbers, now: now)
  }

  func numbers(_ name: StreamNumbers.Name) async throws(StoreError) -> StreamNumbers? {
    try await memory.numbers(name)
  }

  func recent(
    since time: Int64, atMost most: Int
  ) async throws(StoreError) -> [StreamNumbers.Name] {
    try await answer()
    return try await memory.recent(since: time, atMost: most)
  }

  func forget(
    before time: Int64, keeping open: Set<StreamNumbers.Name>
  ) async throws(StoreError) -> Int {
    try await memory.forget(before: time, keeping: open)
  }
}

/// The log lines of what is tested.
final class Lines: Sendable {
  private let lines = Mutex<[(text: String, facts: Logger.Metadata)]>([])

  var all: [String] { lines.withLock { $0.map(\.text) } }
  /// What each of them says besides.
  var details: [Logger.Metadata] { lines.withLock { $0.map(\.facts) } }

  var logger: Logger {
    Logger(label: "ledger") { _ in Handler(lines: self) }
  }

  private struct Handler: LogHandler {
    let lines: Lines
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.lines.withLock {
        $0.append(("\(event.level) \(event.message)", event.metadata ?? [:]))
      }
    }
  }
}

@Suite struct `Stream ledger` {
  private let key = StreamKey.named("w")
  private let name = StreamNumbers.Name(wedding: "w", camera: "main")
  private let store = UnreliableStore()
  private let lines = Lines()
  private let ledger: StreamLedger

  init() { ledger = StreamLedger(store: store, logger: lines.logger) }

  private func state(_ sequence: Int, _ discontinuity: Int = 0) -> WindowState {
    WindowState(
      nextSequence: sequence, discontinuitySequence: discontinuity,
      endTime: MediaTime(milliseconds: Int64(sequence) * 3_000))
  }

  @Test func `a run that ends in order is gone on from without a gap`() async throws {
    #expect(await ledger.begin(key) == WindowState())
    await ledger.note(key, state(5, 1))
    await ledger.end(key)
    #expect(
      await ledger.begin(key)
        == WindowState(
          nextSequence: 5, discontinuitySequence: 1, endTime: MediaTime(milliseconds: 15_000)))
    #expect(lines.all.isEmpty)
  }

  @Test func `after a crash the numbers are beyond all that were used`() async throws {
    _ = await ledger.begin(key)
    for sequence in 1...1_000 { await ledger.note(key, state(sequence, sequence / 10)) }
    let next = await StreamLedger(store: store, logger: lines.logger).begin(key)
    #expect(next.nextSequence >= 1_000)
    #expect(next.nextSequence <= 1_000 + 128)
    #expect(next.discontinuitySequence >= 100)
    #expect(await store.extensions < 25)
  }

  @Test func `since when a stream is on the air is known after a crash, and not after its end`()
    async throws
  {
    func next(lastAlive: Int64?) async -> Broadcast? {
      let next = StreamLedger(store: store, logger: lines.logger, lastAlive: lastAlive)
      _ = await next.begin(key)
      return await next.broadcast(key)
    }
    #expect(await next(lastAlive: 9) == nil)
    _ = await ledger.begin(key)
    await ledger.note(key, state(1), began: 5)
    await ledger.note(key, state(2), began: 5)
    // It is written when it is new, and with each block.
    #expect(await store.extensions == 1)
    #expect(await next(lastAlive: 9) == Broadcast(began: 5, last: 9))
    #expect(await next(lastAlive: nil) == nil)
    let last = StreamLedger(store: store, logger: lines.logger, lastAlive: 9)
    _ = await last.begin(key)
    await last.over(key, at: state(2))
    #expect(await next(lastAlive: 9) == nil)
  }

  @Test func `that it is on the air reserves no more numbers`() async throws {
    _ = await ledger.begin(key)
    await ledger.note(key, state(1), began: 5)
    #expect(await store.extensions == 1)
    // Its first segment is told to nobody: who goes on with it makes that once more.
    let next = StreamLedger(store: store, logger: lines.logger)
    #expect(await next.begin(key, inheriting: state(0)).nextSequence == 0)
  }

  @Test func `streams that were on the air of late are known after a crash`() async throws {
    _ = await ledger.begin(key)
    let next = StreamLedger(store: store, logger: lines.logger)
    let began = StreamOutlet.wallClockMilliseconds
    // A stream that goes on is written once in half a block.
    let block = 128 * 3_000 as Int64
    for (age, streams) in [(0, [key]), (block + 9_000, [key]), (block + 21_000, [])] {
      let now = began + age
      #expect(
        await next.recent(fragment: .seconds(3), within: .seconds(20), now: now) == Set(streams))
    }
    await store.fail(.full("no room"))
    #expect(await next.recent(fragment: .seconds(3), within: .seconds(20)) == [])
    #expect(lines.all.count == 1)
  }

  /// What a process that starts now expects back.
  private var expected: Set<StreamKey> {
    get async {
      await StreamLedger(store: store, logger: lines.logger)
        .recent(fragment: .seconds(3), within: .seconds(20))
    }
  }

  @Test func `a stream that has ended is not expected back, after a crash or in order`() async {
    _ = await ledger.begin(key)
    await ledger.note(key, state(3))
    await ledger.over(key, at: state(4))
    #expect(await expected == [])
    // What was noted before the end comes late.
    await ledger.note(key, state(4))
    #expect(await expected == [])
    // Its publisher came back all the same.
    await ledger.note(key, state(5))
    #expect(await expected == [key])
    await ledger.over(key, at: state(5))
    await ledger.endAll()
    #expect(await expected == [])
    #expect(await ledger.begin(key).nextSequence == 5)
    #expect(await expected == [key])
    await ledger.end(key)
    #expect(await expected == [])
  }

  @Test func `a stream that is on the air when the node stops is expected back`() async {
    _ = await ledger.begin(key)
    await ledger.note(key, state(3))
    await ledger.endAll()
    #expect(await expected == [key])
    _ = await ledger.begin(key)
    await ledger.end(key, at: state(4))
    #expect(await expected == [key])
  }

  @Test func `a stream that ends while the store is slow is known to be over`() async {
    _ = await ledger.begin(key)
    await store.hold()
    let first = Task { [ledger] in await ledger.note(key, state(100)) }
    #expect(await eventually { await store.extensions == 1 })
    await ledger.over(key, at: state(101))
    await store.letGo()
    await first.value
    #expect(await eventually { await expected == [] })
  }

  @Test func `numbers that another process keeps by now are left to it without a warning`()
    async throws
  {
    _ = await ledger.begin(key)
    await ledger.note(key, state(5))
    let next = StreamLedger(store: store, logger: lines.logger)
    let state = await next.begin(key)
    let before = try await store.numbers(name)
    // By a segment more than a block has, at its end, and when the process ends.
    await ledger.note(key, self.state(500))
    await ledger.over(key, at: self.state(501))
    await ledger.end(key)
    await ledger.endAll()
    #expect(try await store.numbers(name) == before)
    #expect(lines.all == ["info stream numbers are another process's"])
    await next.note(key, self.state(state.nextSequence + 3))
    await next.end(key)
    #expect(try await store.numbers(name)?.next.sequence == UInt64(state.nextSequence + 3))
    #expect(lines.all.count == 1)
  }

  @Test func `what another node has used counts, and what is only reserved here doesn't`()
    async throws
  {
    func another() -> StreamLedger { StreamLedger(store: store, logger: lines.logger) }
    _ = await ledger.begin(key)
    await ledger.note(key, state(40, 2))
    // Killed; another node has brought it on since, by less than what is reserved here.
    let again = await another().begin(key, inheriting: state(55, 3))
    #expect(again.nextSequence == 55 && again.discontinuitySequence == 3)
    // The next crash leaves what is reserved from there.
    let third = await another().begin(key)
    #expect(third.nextSequence > 55 && third.nextSequence <= 55 + 128)
    // What is behind all that can have been reserved is older than what was used here.
    let last = await another().begin(key, inheriting: state(1))
    #expect(last.nextSequence >= third.nextSequence)
    let none = await another().begin(key, inheriting: nil)
    #expect(none.nextSequence >= last.nextSequence)
  }

  @Test func `a stream that has nothing yet begins with 0 at another process, too`() async throws {
    _ = await ledger.begin(key)
    await ledger.note(key, state(1))
    let next = StreamLedger(store: store, logger: lines.logger)
    #expect(await next.begin(key, inheriting: state(0)).nextSequence == 0)
  }

  @Test func `what nobody has published for long is forgotten, once a day`() async throws {
    let day: Int64 = 86_400_000
    let now = StreamOutlet.wallClockMilliseconds
    let old = StreamNumbers.Name(wedding: "old", camera: "main")
    _ = try await store.memory.begin(old, now: now - 40 * day)
    _ = await ledger.begin(key)
    await ledger.end(key)
    await ledger.forgetOld(now: now)
    #expect(try await eventually { try await store.numbers(old) == nil })
    #expect(try await store.numbers(name) != nil)
    _ = try await store.memory.begin(old, now: now - 40 * day)
    await ledger.forgetOld(now: now + day / 2)
    #expect(try await store.numbers(old) != nil)
    await ledger.forgetOld(now: now + 2 * day)
    #expect(try await store.numbers(old) == nil)
  }

  @Test func `a stream that is open is not forgotten, whatever the clock says`() async throws {
    _ = await ledger.begin(key)
    await ledger.forgetOld(now: StreamOutlet.wallClockMilliseconds + 400 * 86_400_000)
    await ledger.note(key, state(70))
    await ledger.end(key)
    #expect(await ledger.begin(key).nextSequence == 70)
    #expect(lines.all.isEmpty)
  }

  @Test func `a stream whose record is lost while it runs is recorded anew, and goes on`()
    async throws
  {
    _ = await ledger.begin(key)
    await ledger.note(key, state(70, 2))
    _ = try await store.forget(before: .max, keeping: [])
    await ledger.note(key, state(140, 3))
    #expect(lines.all.isEmpty)
    // The node is killed here, or the publisher comes back later.
    let killed = await StreamLedger(store: store, logger: lines.logger).begin(key)
    #expect(killed.nextSequence >= 140)
    #expect(killed.discontinuitySequence >= 3)
  }

  @Test func `a stream whose record is lost just before its end is gone on from`() async throws {
    _ = await ledger.begin(key)
    await ledger.note(key, state(20, 2))
    _ = try await store.forget(before: .max, keeping: [])
    await ledger.end(key)
    #expect(lines.all.isEmpty)
    let next = await ledger.begin(key)
    #expect(next.nextSequence == 20)
    #expect(next.discontinuitySequence == 2)
    #expect(next.isResumed)
  }

  @Test func `notes that overtake each other don't take numbers back`() async throws {
    _ = await ledger.begin(key)
    await ledger.note(key, state(9))
    await ledger.note(key, state(8))
    await ledger.end(key)
    let next = await ledger.begin(key)
    #expect(next.nextSequence == 9)
    #expect(next.endTime == MediaTime(milliseconds: 27_000))
  }

  @Test func `a store that is slow holds up no note, and is asked once at a time`() async throws {
    _ = await ledger.begin(key)
    await store.hold()
    let first = Task { [ledger] in await ledger.note(key, state(100)) }
    #expect(await eventually { await store.extensions == 1 })
    for sequence in 101...150 { await ledger.note(key, state(sequence)) }
    #expect(await store.extensions == 1)
    await store.letGo()
    await first.value
    await ledger.note(key, state(151))
    #expect(try await store.numbers(name)?.next.sequence ?? 0 > 151)
  }

  @Test func `a store that fails is told again with the next segment, and warned of once`()
    async throws
  {
    _ = await ledger.begin(key)
    await store.fail(.full("no space left"))
    for sequence in 100...110 { await ledger.note(key, state(sequence)) }
    #expect(lines.all == ["warning stream numbers not kept"])
    await store.fail(nil)
    await ledger.note(key, state(111))
    #expect(lines.all.last == "notice stream numbers kept again")
    #expect(try await store.numbers(name)?.next.sequence ?? 0 > 111)
  }

  @Test func `where the store can't be read, numbers are beyond any, and kept when it can`()
    async throws
  {
    _ = await ledger.begin(key)
    await ledger.note(key, state(1_000))
    await ledger.end(key)
    await store.fail(.busy("locked"))
    let begun = await ledger.begin(key)
    #expect(begun.nextSequence > 1_000_000_000)
    #expect(begun.isResumed)
    await store.fail(nil)
    await ledger.note(key, state(begun.nextSequence + 1, begun.discontinuitySequence + 1))
    await ledger.end(key)
    let next = await ledger.begin(key)
    #expect(next.nextSequence == begun.nextSequence + 1)
    #expect(next.discontinuitySequence == begun.discontinuitySequence + 1)
  }

  @Test func `a run that the store first hears of at its end is gone on from`() async throws {
    await store.fail(.full("no space left"))
    let begun = await ledger.begin(key)
    await ledger.note(key, state(begun.nextSequence + 3, begun.discontinuitySequence))
    await store.fail(nil)
    await ledger.end(key)
    #expect(await ledger.begin(key).nextSequence == begun.nextSequence + 3)
  }

  @Test func `a store that never answers holds up no run, from its begin to its end`()
    async throws
  {
    let ledger = StreamLedger(
      store: store, logger: lines.logger, patience: .milliseconds(20))
    await store.hold()
    let begun = await ledger.begin(key)
    #expect(begun.nextSequence > 1_000_000_000)
    #expect(begun.isResumed)
    await ledger.note(key, state(begun.nextSequence + 1, begun.discontinuitySequence))
    await ledger.note(key, state(begun.nextSequence + 2, begun.discontinuitySequence))
    #expect(lines.all == ["error stream numbers unknown"])
    await ledger.end(key)
    await store.letGo()
  }

  @Test func `a run begun without the store is kept when it answers again`() async throws {
    let ledger = StreamLedger(
      store: store, logger: lines.logger, patience: .milliseconds(20))
    await store.hold()
    let begun = await ledger.begin(key)
    await ledger.note(key, state(begun.nextSequence + 1, begun.discontinuitySequence))
    await store.letGo()
    let name = name
    #expect(
      try await eventually {
        try await store.numbers(name)?.next.sequence ?? 0 > begun.nextSequence + 1
      })
    #expect(await eventually { lines.all.last == "notice stream numbers kept again" })
  }

  @Test func `a store that never answers holds up no node that stops`() async throws {
    let ledger = StreamLedger(
      store: store, logger: lines.logger, patience: .milliseconds(20))
    for index in 0..<20 { _ = await ledger.begin(.named("w\(index)")) }
    await store.hold()
    await ledger.endAll()
    // Waited for once, not for each of the twenty.
    #expect(lines.all == ["warning stream numbers not kept"])
    await store.letGo()
  }

  @Test func `all runs end in order when the node stops`() async throws {
    for index in 0..<20 {
      _ = await ledger.begin(.named("w\(index)"))
      await ledger.note(.named("w\(index)"), state(index))
    }
    await ledger.endAll()
    let other = StreamLedger(store: store, logger: lines.logger)
    for index in 0..<20 {
      #expect(await other.begin(.named("w\(index)")).nextSequence == index)
    }
  }
}

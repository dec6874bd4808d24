import EventLoop
import Events
import HLS
import Ingest
import Logging
import Media
import Store
import Synchronization
import TestSupport
import Testing

@testable import Origin

/// A publisher without a connection: what it is asked, and what it answers.
final class ImaginedPublisher: Sendable {
  private struct State {
    var silence: Duration? = .zero
    var evictions = 0
  }

  private let state = Mutex(State())
  let id: UInt64
  private let token: String
  private let priority: Int

  init(_ id: UInt64, token: String, priority: Int = 0) {
    self.id = id
    self.token = token
    self.priority = priority
  }

  var evictions: Int { state.withLock { $0.evictions } }

  /// Says how long nothing has come; nil: it is gone.
  func fallSilent(for duration: Duration?) { state.withLock { $0.silence = duration } }

  var publisher: Publisher {
    Publisher(
      id: id, tokenID: Array(token.utf8), priority: priority, address: "192.0.2.1",
      silence: { self.state.withLock { $0.silence } },
      evict: { self.state.withLock { $0.evictions += 1 } })
  }
}

/// A registry whose streams go nowhere, with a board that shows what became of them.
struct TestRegistry {
  let board = StreamBoard()
  let registry: StreamRegistry
  let log = RegistryLog()
  let events = EventBus()
  let store = MemoryStreamNumbers()
  let errands = Errands()

  init(
    memory: StreamMemory = StreamMemory(),
    _ change: (inout StreamRegistry.Limits) -> Void = { _ in },
    isElsewhere: @escaping @Sendable (StreamKey, WindowState) async -> Bool? = { _, _ in nil }
  ) {
    var limits = StreamRegistry.Limits()
    limits.reconnectWindow = .seconds(3_600)
    limits.afterEnd = .seconds(3_600)
    change(&limits)
    let ledger = StreamLedger(
      store: store, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let outlet = StreamOutlet(
      board: board, relays: RelayDirectory(),
      ledger: ledger, errands: errands, events: events)
    let log = log
    registry = StreamRegistry(
      limits: limits, hasMemory: { memory.admit() },
      open: { key, _, _ in
        await log.opening(key)
        _ = await ledger.begin(key)
        return LiveStreamBox(
          LiveStream(
            key, state: WindowState(), configuration: StreamConfiguration(), outlet: outlet))
      }, close: { key, _ in await log.closing(key) }, isElsewhere: isElsewhere)
  }

  /// Claims and confirms.
  func publish(_ key: StreamKey, _ publisher: ImaginedPublisher) async throws -> Claim {
    let claim = try await registry.claim(key, by: publisher.publisher)
    #expect(await registry.confirm(claim))
    return claim
  }
}

/// What a registry opens and closes; it can be made to wait.
actor RegistryLog {
  private(set) var opened: [StreamKey] = []
  private(set) var closed: [StreamKey] = []
  private var isHeld = false
  private var held: [CheckedContinuation<Void, Never>] = []

  /// Lets nobody go on from here before `letGo()`.
  func hold() { isHeld = true }

  func letGo() {
    isHeld = false
    for continuation in held { continuation.resume() }
    held = []
  }

  func opening(_ key: StreamKey) async {
    opened.append(key)
    if isHeld { await withCheckedContinuation { held.append($0) } }
  }

  func closing(_ key: StreamKey) async {
    closed.append(key)
    if isHeld { await withCheckedContinuation { held.append($0) } }
  }
}

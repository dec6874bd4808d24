package import Events
package import Logging
import Media
package import Recording
package import Store
import Synchronization

/// What was ordered of streams: that they are recorded, or aren't, wherever they are published.
///
/// Kept in the store, which all who may have a stream read; the desk has what this process goes by.
/// What the store could not be told holds here, and is told again.
package final class RecordingOrders: Sendable {
  private struct State {
    /// What the store isn't told yet; nil for a stream that is over.
    var untold: [StreamKey: Bool?] = [:]
    /// Those that were asked for here, or found ordered.
    var known: Set<StreamKey> = []
  }

  /// Of how many streams something is remembered here at most; of others the store knows.
  private static let most = 10_000

  private let desk: RecordingDesk
  private let store: any RecordingOrderStore
  private let logger: Logger?
  private let patience: Duration
  private let now: @Sendable () -> Int64
  /// One at a time of a stream: what is read is as it was when it was read.
  private let turns = Turns()
  private let state = Mutex(State())

  /// - Parameters:
  ///   - desk: where streams are recorded.
  ///   - store: keeps orders.
  ///   - logger: hears what the store can't do.
  ///   - patience: how long a store is waited for that may never answer, as on a disk that stalls:
  ///     publishers wait for it.
  ///   - now: milliseconds since 1970.
  package init(
    _ desk: RecordingDesk, store: any RecordingOrderStore, logger: Logger? = nil,
    patience: Duration = .seconds(4),
    now: @escaping @Sendable () -> Int64 = { StreamOutlet.wallClockMilliseconds }
  ) {
    self.desk = desk
    self.store = store
    self.logger = logger
    self.patience = patience
    self.now = now
  }

  // MARK: Changes

  /// Orders that a stream is recorded from now on, or no longer, whether it is live or not.
  ///
  /// Returns when the store has it; where that can't be told it holds here, and is told later.
  func order(_ isRecorded: Bool, of key: StreamKey) async {
    await turns.enter("\(key)")
    defer { turns.leave("\(key)") }
    await wish(key, isRecorded: isRecorded)
  }

  /// Orders that a stream is no longer recorded, where its recordings can be stopped.
  ///
  /// Nobody reads an order of it meanwhile, and records it again.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - work: stops them; what was ordered is known by then, wherever that was.
  /// - Returns: what that returns.
  /// - Throws: what that throws; what was ordered holds then.
  func stop<Stopped, Failure>(
    _ key: StreamKey, _ work: () async throws(Failure) -> Stopped
  ) async throws(Failure) -> Stopped {
    await turns.enter("\(key)")
    defer { turns.leave("\(key)") }
    _ = await read(key)
    let stopped = try await work()
    await wish(key, isRecorded: false)
    return stopped
  }

  private func wish(_ key: StreamKey, isRecorded: Bool) async {
    desk.wish(key, isRecorded: isRecorded)
    remember(key)
    await tell(key, isRecorded)
  }

  /// A stream is over: what was ordered of it holds no longer.
  func over(_ key: StreamKey) async {
    await turns.enter("\(key)")
    defer { turns.leave("\(key)") }
    desk.forget(key)
    state.withLock { _ = $0.known.remove(key) }
    await tell(key, nil)
  }

  /// Ends orders with their streams, until the task is cancelled.
  package func follow(_ events: EventBus) async {
    for await event in events.subscribe() where event.kind == .streamEnded {
      if let key = StreamKey(wedding: event.wedding, camera: event.camera ?? "main") {
        await over(key)
      }
    }
  }

  private func tell(_ key: StreamKey, _ change: Bool?) async {
    let name = StreamNumbers.Name(wedding: key.wedding, camera: key.camera)
    do throws(StoreError) {
      try await waiting(atMost: patience) { [store, now] () async throws(StoreError) in
        if let change {
          try await store.order(change, of: name, now: now())
        } else {
          try await store.end(name)
        }
      }
      state.withLock { _ = $0.untold.removeValue(forKey: key) }
    } catch {
      state.withLock { state in
        guard state.untold.count < Self.most || state.untold[key] != nil else { return }
        state.untold[key] = .some(change)
      }
      logger?.debug(
        "recording order not kept", metadata: ["stream": "\(key)", "error": "\(error)"])
    }
  }

  /// Tells the store what it could not be told before.
  package func tellAgain() async {
    for key in state.withLock({ Array($0.untold.keys) }) {
      await turns.enter("\(key)")
      if let change = state.withLock({ $0.untold[key] }) { await tell(key, change) }
      turns.leave("\(key)")
      // It still can't be.
      if state.withLock({ $0.untold[key] }) != nil { return }
    }
  }

  private func remember(_ key: StreamKey) {
    state.withLock { state in
      if state.known.count < Self.most { state.known.insert(key) }
    }
  }

  // MARK: What others have ordered

  /// Goes by what is ordered of a stream, or by what was known where nobody can say.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - isBeginning: whether it is to begin here: what is ordered elsewhere from then on concerns
  ///     it, though it isn't on the air yet.
  /// - Returns: whether the store could say it.
  @discardableResult
  func learn(_ key: StreamKey, isBeginning: Bool = false) async -> Bool {
    await turns.enter("\(key)")
    defer { turns.leave("\(key)") }
    if isBeginning { remember(key) }
    return await read(key, isBeginning: isBeginning)
  }

  private func read(_ key: StreamKey, isBeginning: Bool = false) async -> Bool {
    if let change = state.withLock({ $0.untold[key] }) {
      // It came later than what the store knows.
      desk.follow(change, of: key)
      await tell(key, change)
      return state.withLock { $0.untold[key] } == nil
    }
    do throws(StoreError) {
      let name = StreamNumbers.Name(wedding: key.wedding, camera: key.camera)
      let isRecorded = try await waiting(atMost: patience) {
        [store, now] () async throws(StoreError) in
        try await store.order(of: name, now: now())
      }
      desk.follow(isRecorded, of: key)
      if isRecorded != nil {
        remember(key)
      } else if !isBeginning {
        state.withLock { _ = $0.known.remove(key) }
      }
      return true
    } catch {
      logger?.debug(
        "recording order not known", metadata: ["stream": "\(key)", "error": "\(error)"])
      return false
    }
  }

  /// Reads again what is ordered of streams that are here, or that were asked for here.
  ///
  /// - Parameters:
  ///   - wedding: whose; nil for all.
  ///   - live: the streams that are here.
  /// - Returns: those of which something else is ordered by now.
  func refresh(_ wedding: String?, live: [StreamKey]) async -> [StreamKey] {
    let keys = state.withLock { $0.known }.union(live).filter {
      wedding == nil || $0.wedding == wedding
    }
    var changed: [StreamKey] = []
    for key in keys {
      let before = desk.order(of: key)
      guard await learn(key) else { break }
      if desk.order(of: key) != before { changed.append(key) }
    }
    return changed
  }
}

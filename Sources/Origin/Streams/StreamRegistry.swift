import EventLoop
package import Media

/// Who publishes what on this node: each stream has at most one publisher, and outlives it for the
/// reconnect window.
///
/// It is the lease of a single node: a claim is granted, moved or refused here and nowhere else.
package actor StreamRegistry {
  /// How long a holder may be silent before anybody else with a valid token may take its stream.
  private static let silence = Duration.seconds(5)
  /// More takeovers than these within the period are a fight: the stream then stays where it is.
  private static let takeovers = 4
  private static let takeoverPeriod = Duration.seconds(30)

  private struct Entry {
    let box: LiveStreamBox
    var holder: Publisher?
    /// Counts claims; what was meant for an older one is ignored.
    var epoch: UInt64 = 0
    var wasPublished = false
    var takeovers: [MonotonicTime] = []
    var expiry: Task<Void, Never>?
  }

  private var entries: [StreamKey: Entry] = [:]
  private var nextEpoch: UInt64 = 1
  private var busy: Set<StreamKey> = []
  private var waiting: [StreamKey: [CheckedContinuation<Void, Never>]] = [:]
  private let reconnectWindow: Duration
  private let limit: Int
  private let open: @Sendable (StreamKey) async -> LiveStreamBox

  /// Makes an empty registry.
  ///
  /// - Parameters:
  ///   - reconnectWindow: how long a stream waits for a publisher that is gone.
  ///   - limit: how many streams there may be, those that wait included.
  ///   - open: makes a stream that nobody publishes yet, with the numbers it goes on from.
  package init(
    reconnectWindow: Duration, limit: Int = .max,
    open: @escaping @Sendable (StreamKey) async -> LiveStreamBox
  ) {
    self.reconnectWindow = reconnectWindow
    self.limit = limit
    self.open = open
  }

  /// How many streams there are, with a publisher or waiting for one.
  package var count: Int { entries.count }

  /// The publisher that holds a stream now.
  package func holder(of key: StreamKey) -> Publisher? { entries[key]?.holder }

  /// Grants a stream to a publisher, which has it until `release` or until it is taken over.
  ///
  /// - Returns: the stream, to be attached to the publisher's loop and nowhere else.
  /// - Throws: `ClaimRefusal` when another publisher keeps it.
  package func claim(
    _ key: StreamKey, by publisher: Publisher
  ) async throws(ClaimRefusal) -> Claim {
    await enter(key)
    defer { leave(key) }
    if entries[key]?.holder != nil { try await takeOver(key, by: publisher) }
    if entries[key] == nil {
      guard entries.count < limit else { throw .full }
      entries[key] = Entry(box: await open(key))
    }
    guard var entry = entries[key] else { throw .unavailable }
    entry.expiry?.cancel()
    entry.expiry = nil
    entry.holder = publisher
    entry.epoch = nextEpoch
    nextEpoch += 1
    entries[key] = entry
    return Claim(key: key, epoch: entry.epoch, box: entry.box)
  }

  /// The backend has admitted the claim's publisher, so the stream is a real one from now on.
  package func confirm(_ claim: Claim) {
    if entries[claim.key]?.epoch == claim.epoch { entries[claim.key]?.wasPublished = true }
  }

  /// Gives a stream back, detached from its loop: it ends after the reconnect window.
  ///
  /// A claim that has been taken over meanwhile changes nothing. A stream that was never confirmed
  /// goes without a trace.
  package func release(_ claim: Claim) async {
    await enter(claim.key)
    defer { leave(claim.key) }
    guard let entry = entries[claim.key], entry.epoch == claim.epoch, entry.holder != nil else {
      return
    }
    entries[claim.key]?.holder = nil
    guard entry.wasPublished else {
      entries[claim.key] = nil
      return
    }
    entries[claim.key]?.expiry = Task { [reconnectWindow] in
      try? await Task.sleep(for: reconnectWindow)
      if !Task.isCancelled { await self.expire(claim) }
    }
  }

  /// Ends every stream that waits for a publisher, without waiting longer: the node stops.
  package func endWaiting() {
    for (key, entry) in entries where entry.holder == nil {
      entry.expiry?.cancel()
      entry.box.stream.end()
      entries[key] = nil
    }
  }

  private func expire(_ claim: Claim) async {
    await enter(claim.key)
    defer { leave(claim.key) }
    guard let entry = entries[claim.key], entry.epoch == claim.epoch, entry.holder == nil else {
      return
    }
    entry.box.stream.end()
    entries[claim.key] = nil
  }

  /// Detaches the stream from its holder's loop, or throws where the holder keeps it.
  private func takeOver(_ key: StreamKey, by publisher: Publisher) async throws(ClaimRefusal) {
    guard let entry = entries[key], let holder = entry.holder else { return }
    let recent = entry.takeovers.filter { MonotonicTime.now - $0 < Self.takeoverPeriod }
    guard recent.count < Self.takeovers else { throw .contested }
    if holder.tokenID != publisher.tokenID, holder.priority >= publisher.priority {
      guard await holder.isSilent(for: Self.silence) else { throw .taken }
    }
    await holder.evict()
    entries[key]?.holder = nil
    entries[key]?.takeovers = recent + [.now]
  }

  // One claim or release of a stream at a time: the actor alone would let others in at each await.

  private func enter(_ key: StreamKey) async {
    while busy.contains(key) {
      await withCheckedContinuation { waiting[key, default: []].append($0) }
    }
    busy.insert(key)
  }

  private func leave(_ key: StreamKey) {
    busy.remove(key)
    for continuation in waiting.removeValue(forKey: key) ?? [] { continuation.resume() }
  }
}

/// A granted stream.
package struct Claim: Sendable {
  package let key: StreamKey
  package let epoch: UInt64
  package let box: LiveStreamBox
}

/// Why a stream was not granted; the words go to the publisher.
package enum ClaimRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  /// Somebody else publishes it.
  case taken
  /// It changed hands so often that two encoders must be fighting over it.
  case contested
  /// The node has as many streams as it may have.
  case full
  /// It ended at this very moment.
  case unavailable

  package var description: String {
    switch self {
    case .taken: "this stream is already being published by somebody else"
    case .contested:
      "this stream key is in use by several encoders that push each other out; "
        + "stop all but one and wait 30 seconds"
    case .full: "this server has as many streams as it may have; connect to another one"
    case .unavailable: "the stream has just ended; try again"
    }
  }
}

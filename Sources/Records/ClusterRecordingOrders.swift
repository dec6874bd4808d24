package import Store

/// What was ordered of a cluster's streams: it is in Redis, and each origin has a copy of what it
/// was asked for, or has come upon, on its disk.
///
/// While Redis is away what was known goes on, and what is ordered is this node's; Redis is told
/// when it is back. A Redis that has lost its data is told what this node knew.
package struct ClusterRecordingOrders: RecordingOrderStore {
  private let shared: RedisRecordingOrders
  private let copy: SQLiteRecordingOrders
  private let announce: @Sendable (String) async -> Void
  /// How long the copy is waited for: what Redis says doesn't wait for a disk that stalls.
  private static let patience = Duration.seconds(1)

  /// Keeps orders in Redis.
  ///
  /// - Parameters:
  ///   - shared: all nodes' orders.
  ///   - copy: this node's, in its data folder.
  ///   - announce: tells all nodes that something else is ordered of a wedding.
  package init(
    _ shared: RedisRecordingOrders, copy: SQLiteRecordingOrders,
    announce: @escaping @Sendable (String) async -> Void = { _ in }
  ) {
    self.shared = shared
    self.copy = copy
    self.announce = announce
  }

  package func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) {
    // Before Redis is asked, which may be away; a disk that is full keeps nobody from being told.
    await keep(isRecorded, of: stream, era: nil, now: now)
    guard !shared.isAway else { throw .unreachable("Redis is away") }
    let era = try await shared.put(isRecorded, of: stream)
    await keep(isRecorded, of: stream, era: era, now: now)
    await announce(stream.wedding)
  }

  private func keep(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, era: String?, now: Int64
  ) async {
    _ = try? await waiting(atMost: Self.patience) { [copy] () async throws(StoreError) in
      try await copy.keep(isRecorded, of: stream, era: era, now: now)
    }
  }

  private func drop(_ stream: StreamNumbers.Name) async {
    _ = try? await waiting(atMost: Self.patience) { [copy] () async throws(StoreError) in
      try await copy.end(stream)
    }
  }

  package func order(
    of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) -> Bool? {
    let kept =
      (try? await waiting(atMost: Self.patience) { [copy] () async throws(StoreError) in
        try await copy.kept(of: stream, now: now)
      }) ?? nil
    // Nobody waits for a Redis that is known to be away.
    guard !shared.isAway else { return try known(kept, .unreachable("Redis is away")) }
    let (isRecorded, era): (Bool?, String)
    do throws(StoreError) {
      (isRecorded, era) = try await shared.orderNow(of: stream)
    } catch {
      return try known(kept, error)
    }
    if let kept, kept.era == nil {
      // Redis could not be told of it, and where it can't be now it holds here all the same.
      try? await order(kept.isRecorded, of: stream, now: now)
      return kept.isRecorded
    }
    if let isRecorded {
      if kept?.isRecorded != isRecorded || kept?.era != era {
        await keep(isRecorded, of: stream, era: era, now: now)
      }
      return isRecorded
    }
    guard let kept else { return nil }
    if kept.era == era {
      // The stream's end was told since.
      await drop(stream)
      return nil
    }
    // Where it can't be restored now that is tried again when it is read next.
    if (try? await shared.restore(kept.isRecorded, of: stream)) != nil {
      await keep(kept.isRecorded, of: stream, era: era, now: now)
    }
    return kept.isRecorded
  }

  private func known(
    _ kept: SQLiteRecordingOrders.Kept?, _ failure: StoreError
  ) throws(StoreError) -> Bool? {
    // Without one there may be an order of which this node hasn't heard.
    guard let kept else { throw failure }
    return kept.isRecorded
  }

  package func end(_ stream: StreamNumbers.Name) async throws(StoreError) {
    await drop(stream)
    guard !shared.isAway else { throw .unreachable("Redis is away") }
    if try await shared.remove(stream) { await announce(stream.wedding) }
  }
}

import Access
package import ControlAPI
import EventLoop
package import Logging
package import Media
package import Store

/// Makes the keys of a node's streams, keeps them sealed, and gives them to viewers.
///
/// A key is in the store before any playlist names it: every node of a cluster can give it out, and
/// a node that was killed can again. Where the store can't take it, or does not answer, it is given
/// out from memory, said once in the log and stored later: a wedding goes on. A key that neither
/// has is made again by its name, as edges still have the segments of an origin that died with
/// Redis away.
package actor StreamKeys {
  private enum State { case unstored, underWay, stored }

  private struct Live {
    let material: StreamKeyMaterial
    let stream: StreamKey
    var state = State.unstored
    /// As the store is given it, however often.
    var sealed: [UInt8]?
    /// Milliseconds since 1970, for the store.
    var neededUntil: Int64
    /// When it is forgotten here, on the clock of `uptime`; nil while it is in use.
    var deadline: Int64?
  }

  private let store: any StreamKeyStore
  private let wrap: KeyWrap
  private let maker: StreamKeyMaker
  private let logger: Logger
  private let longestUse: Int64
  private let patience: Duration
  private let now: @Sendable () -> Int64
  private let uptime: @Sendable () -> Int64
  private var live: [String: Live] = [:]
  private var isFailing = false

  /// Makes a service.
  ///
  /// - Parameters:
  ///   - store: where keys are kept, sealed.
  ///   - secret: makes and seals them; the same on all nodes that share the store.
  ///   - longestUse: milliseconds after which a key that nobody retired is forgotten: a process
  ///     that was killed retires none.
  ///   - logger: hears of what the store can't do; never of a key.
  ///   - patience: how long a call waits for the store.
  ///   - now: milliseconds since 1970.
  ///   - uptime: milliseconds on a clock that nobody sets: what is in memory goes by it.
  package init(
    store: any StreamKeyStore, secret: [UInt8], longestUse: Int64, logger: Logger,
    patience: Duration = .seconds(2),
    now: @escaping @Sendable () -> Int64 = { StreamOutlet.wallClockMilliseconds },
    uptime: @escaping @Sendable () -> Int64 = {
      Int64(MonotonicTime.now.nanoseconds / 1_000_000)
    }
  ) {
    self.store = store
    wrap = KeyWrap(secret: secret)
    maker = StreamKeyMaker(secret: secret)
    self.longestUse = longestUse
    self.patience = patience
    self.logger = logger
    self.now = now
    self.uptime = uptime
  }

  /// How long the store keeps what nobody needs: a clock that was set forward takes away no key
  /// that playlists still name.
  static let margin: Int64 = 86_400_000

  /// The names of those that are in memory.
  var ids: [String] { Array(live.keys) }

  /// Makes a key; when this returns, viewers can have it.
  ///
  /// - Parameter stream: whose segments it is for.
  /// - Returns: the key.
  package func make(for stream: StreamKey) async -> StreamKeyMaterial {
    let made = maker.make(wedding: stream.wedding, camera: stream.camera, now: now())
    let material = StreamKeyMaterial(id: made.id, bytes: made.bytes, wedding: stream.wedding)
    live[material.id] = Live(
      material: material, stream: stream, neededUntil: now() + longestUse)
    await waitForStore { () async throws(StoreError) in
      await self.keep(material.id)
      await self.keepOthers()
    }
    return material
  }

  /// Stores those that the store did not take before.
  private func keepOthers() async {
    guard !isFailing else { return }
    for id in Array(live.keys) { await keep(id) }
  }

  private func waitForStore(
    _ work: @escaping @Sendable () async throws(StoreError) -> Void
  ) async {
    do throws(StoreError) {
      try await waiting(atMost: patience, for: work)
    } catch {
      failed(error)
    }
  }

  /// Says that a key is used no more, and how long its segments can still be fetched.
  ///
  /// - Parameters:
  ///   - id: of the key.
  ///   - milliseconds: from now on.
  package func retire(_ id: String, neededFor milliseconds: Int64) async {
    let until = now() + milliseconds
    live[id]?.neededUntil = until
    live[id]?.deadline = uptime() + milliseconds
    await waitForStore { [store, now] () async throws(StoreError) in
      try await store.retire(id, neededUntil: until)
      _ = try await store.forgetKeys(now: now() - Self.margin)
    }
    let time = uptime()
    let gone = live.filter { ($0.value.deadline ?? .max) < time }.map(\.key)
    for id in gone { live[id] = nil }
  }

  /// Gives out a key.
  ///
  /// - Parameters:
  ///   - id: as it stands in a playlist.
  ///   - wedding: that the viewer may watch.
  /// - Returns: the key; nil where that wedding has no such one.
  /// - Throws: where the store can't be asked for a key of another kind, or its secret was another
  ///   one.
  package func key(
    _ id: String, ofWedding wedding: String
  ) async throws -> GivenStreamKey? {
    if let known = live[id] {
      guard known.stream.wedding == wedding else { return nil }
      if let deadline = known.deadline, deadline < uptime() { return nil }
      return GivenStreamKey(camera: known.stream.camera, bytes: known.material.bytes)
    }
    let stored: StreamKeyRecord?
    do {
      stored = try await waiting(atMost: patience) { [store] () async throws(StoreError) in
        try await store.key(id)
      }
    } catch {
      guard let again = again(id, wedding, within: longestUse) else { throw error }
      return again
    }
    guard let record = stored else { return again(id, wedding, within: Self.margin) }
    guard record.stream.wedding == wedding, record.neededUntil >= now() else { return nil }
    return GivenStreamKey(
      camera: record.stream.camera,
      bytes: try wrap.open(record.sealed, for: Self.purpose(id, record.stream)))
  }

  /// Makes a key again that the store doesn't tell of: it can't be asked, or never had it.
  ///
  /// A store that forgets does so after more than the margin, so what is younger was not forgotten.
  private func again(
    _ id: String, _ wedding: String, within milliseconds: Int64
  ) -> GivenStreamKey? {
    guard let key = maker.again(id, wedding: wedding), now() - key.created <= milliseconds
    else { return nil }
    return GivenStreamKey(camera: key.camera, bytes: key.bytes)
  }

  /// Stores a key; each is stored by one caller at a time.
  private func keep(_ id: String) async {
    guard let key = live[id], key.state == .unstored else { return }
    live[id]?.state = .underWay
    let name = StreamNumbers.Name(wedding: key.stream.wedding, camera: key.stream.camera)
    do {
      let sealed = try key.sealed ?? wrap.seal(key.material.bytes, for: Self.purpose(id, name))
      live[id]?.sealed = sealed
      try await store.add(
        StreamKeyRecord(
          id: id, stream: name, sealed: sealed, created: now(), neededUntil: key.neededUntil))
      live[id]?.state = .stored
      // It may have been retired meanwhile, which the store could not know.
      let until = live[id]?.neededUntil ?? now()
      if until != key.neededUntil { try await store.retire(id, neededUntil: until) }
      if isFailing { logger.notice("stream keys kept again") }
      isFailing = false
    } catch {
      if live[id]?.state == .underWay { live[id]?.state = .unstored }
      failed(error)
    }
  }

  private func failed(_ error: any Error) {
    if !isFailing { logger.error("stream keys not kept", metadata: ["error": "\(error)"]) }
    isFailing = true
  }

  private static func purpose(_ id: String, _ stream: StreamNumbers.Name) -> String {
    "\(stream)/\(id)"
  }
}

import Store
import Synchronization

/// What a node knows of the cluster's recordings: as Redis says, or has said last.
package final class KnownRecordings: Sendable {
  /// What is known of a wedding.
  package struct Listing: Sendable, Equatable {
    package var entries: [RecordingEntry]
    /// Why some may be missing or otherwise by now; nil where that is all there is.
    package var doubt: String?
  }

  /// What is known of one recording.
  package enum Finding: Sendable, Equatable {
    case node(String)
    /// No node says that it has it; one that has just begun to may not have said so yet.
    case nobody
    /// Redis can't be asked; why.
    case unknown(String)
  }

  private struct Place {
    var node: String
    var read: ContinuousClock.Instant
  }

  private struct State {
    var weddings = RecentlyUsed<String, [RecordingEntry]>(limit: KnownRecordings.weddingLimit)
    var places = RecentlyUsed<String, Place>(limit: KnownRecordings.placeLimit)
    var era: String?
    /// Until when nodes may have to write what Redis has lost.
    var settles: ContinuousClock.Instant?
  }

  private static let weddingLimit = 1_000
  private static let placeLimit = 20_000
  /// How long a place is known before Redis is asked again: recordings stay where they are.
  private static let placeLife = Duration.seconds(60)
  /// How long nodes have to write what Redis has lost: each looks every few seconds.
  package static let settling = Duration.seconds(15)

  private let shared: RedisRecordings
  private let settling: Duration
  private let isAway: @Sendable (_ node: String) -> Bool
  private let now: @Sendable () -> Int64
  private let state = Mutex(State())

  /// - Parameters:
  ///   - shared: what all nodes say.
  ///   - settling: how long nodes have to write what Redis has lost.
  ///   - isAway: whether a node can't be reached: it takes nothing back that it has told.
  ///   - now: milliseconds since 1970.
  package init(
    _ shared: RedisRecordings, settling: Duration = settling,
    isAway: @escaping @Sendable (_ node: String) -> Bool,
    now: @escaping @Sendable () -> Int64
  ) {
    self.shared = shared
    self.settling = settling
    self.isAway = isAway
    self.now = now
  }

  // MARK: Weddings

  /// What nodes say of a wedding's recordings, in no order.
  package func listing(ofWedding wedding: String) async -> Listing {
    do throws(StoreError) {
      let (entries, era) = try await shared.entries(ofWedding: wedding, now: now())
      return take(entries, era, wedding)
    } catch {
      let entries = state.withLock { $0.weddings[wedding] } ?? []
      return Listing(
        entries: entries, doubt: "Redis, which knows of other nodes' recordings, says: \(error)")
    }
  }

  private func take(_ entries: [RecordingEntry], _ era: String, _ wedding: String) -> Listing {
    let isSettled = isSettled(in: era)
    let instant = ContinuousClock.now
    let known = state.withLock { $0.weddings[wedding] } ?? []
    let away = Set(known.map(\.node)).filter(isAway)
    return state.withLock { state in
      var listing = Listing(entries: entries, doubt: isSettled ? nil : Self.lost)
      if state.settles != nil {
        // Those that are missing were not deleted; their nodes are about to say so, or are away.
        let there = Set(entries.map(\.id))
        let missing = (state.weddings[wedding] ?? []).filter {
          !there.contains($0.id) && (!isSettled || away.contains($0.node))
        }
        listing.entries += missing
        if !missing.isEmpty { listing.doubt = Self.lost }
      }
      state.weddings[wedding] = listing.entries
      for entry in entries { state.places[entry.id] = Place(node: entry.node, read: instant) }
      return listing
    }
  }

  private static let lost =
    "Redis has lost its data, and nodes are telling it of their recordings again"

  /// Whether Redis has lost its data since this node began: what was told by one that is away is
  /// not in it any more.
  package var hasLost: Bool { state.withLock { $0.settles != nil } }

  /// Whether all nodes that are there have had time to write what Redis has lost.
  private func isSettled(in era: String) -> Bool {
    let instant = ContinuousClock.now
    return state.withLock { state in
      if let known = state.era, known != era { state.settles = instant + settling }
      state.era = era
      return state.settles.map { instant >= $0 } ?? true
    }
  }

  // MARK: Places

  /// The node that keeps a recording, where that is known without asking.
  package func place(of id: String) -> String? {
    let place = state.withLock { $0.places[id] }
    guard let place, ContinuousClock.now - place.read < Self.placeLife else { return nil }
    return place.node
  }

  /// Finds the node that keeps a recording.
  ///
  /// - Parameters:
  ///   - id: of the recording.
  ///   - wedding: whose it is; nil where that isn't known.
  /// - Returns: the node, or why it isn't known.
  package func find(_ id: String, ofWedding wedding: String?) async -> Finding {
    if let node = place(of: id) { return .node(node) }
    do throws(StoreError) {
      let entry = try await shared.entry(id, ofWedding: wedding, now: now())
      guard let entry else {
        let isSettled = isSettled(in: try await shared.era())
        if hasLost, let place = state.withLock({ $0.places[id] }), isAway(place.node) {
          return .node(place.node)
        }
        return isSettled ? .nobody : .unknown(Self.lost)
      }
      note(id, at: entry.node)
      return .node(entry.node)
    } catch {
      // What was known last: a recording doesn't move.
      if let place = state.withLock({ $0.places[id] }) { return .node(place.node) }
      return .unknown("\(error)")
    }
  }

  /// A node has said by itself that it keeps a recording.
  package func note(_ id: String, at node: String) {
    let place = Place(node: node, read: .now)
    state.withLock { $0.places[id] = place }
  }

  /// A recording is no more.
  package func forget(_ id: String) { state.withLock { $0.places[id] = nil } }
}

import Cluster
import ControlAPI
import Edge
import EventLoop
import Records
import Synchronization
import Telemetry

/// Finds the node that keeps a recording: by what nodes have told Redis, or by asking them.
final class RecordingFinder: Sendable {
  /// Where a recording is.
  enum Place: Sendable {
    case node(KnownNode)
    /// On this one, as it is said; it may have gone since.
    case own
    /// On a node that can't be reached; its name.
    case away(String)
    /// Nobody has it.
    case nobody
    /// Nobody who can be asked has it; in words, who can't be.
    case unclear(String)
  }

  private struct State {
    /// Those that nobody has, and until when that is believed.
    var absent: [String: MonotonicTime] = [:]
    var searches = 0
  }

  /// How long nobody is asked again for a recording that nobody had.
  private static let absence = Duration.seconds(3)
  private static let absentLimit = 10_000
  /// How many recordings are searched for at a time; what is asked for beyond that, by those who
  /// guess names, is taken to be nowhere.
  private static let mostSearches = 32
  private static let patience = Duration.seconds(2)

  private let peers: RecordingPeers
  private let known: KnownRecordings
  private let state = Mutex(State())
  private let lookups: @Sendable (String) -> Void

  /// - Parameters:
  ///   - peers: the nodes that are asked.
  ///   - known: what they have told.
  ///   - registry: where `wedlive_recording_lookups_total` is counted.
  init(_ peers: RecordingPeers, _ known: KnownRecordings, metrics registry: MetricRegistry) {
    self.peers = peers
    self.known = known
    lookups = { result in
      registry.counter(
        "wedlive_recording_lookups_total",
        help: "Recordings whose node was looked for, by how that went.",
        labels: ["result": result]
      ).increment()
    }
  }

  /// Finds a recording.
  ///
  /// - Parameters:
  ///   - id: of the recording.
  ///   - wedding: whose it is; nil where that isn't known.
  /// - Returns: where it is, as far as anybody who can be asked knows.
  func find(_ id: String, ofWedding wedding: String?) async -> Place {
    let place = await look(id, wedding)
    switch place {
    case .node, .own: lookups("found")
    case .away: lookups("away")
    case .nobody: lookups("nobody")
    case .unclear: lookups("unclear")
    }
    return place
  }

  private func look(_ id: String, _ wedding: String?) async -> Place {
    switch await known.find(id, ofWedding: wedding) {
    case .node(let name): return place(name)
    case .nobody where known.hasLost:
      return await search(id, doubt: "it has lost its data")
    case .nobody: return await search(id, doubt: nil)
    case .unknown(let words): return await search(id, doubt: words)
    }
  }

  /// Where a recording is, without asking anybody; nil where it isn't known.
  func place(of id: String) -> Place? { known.place(of: id).map(place) }

  private func place(_ name: String) -> Place {
    let view = peers.view()
    if name == view.own.text { return .own }
    guard let id = NodeID(name), let node = view[id], node.isReachable else { return .away(name) }
    return .node(node)
  }

  // MARK: Searching

  /// Asks all origins: one may not have told of it yet, or nobody could be told.
  private func search(_ id: String, doubt: String?) async -> Place {
    let view = peers.view()
    let others = view.origins.filter { $0.id != view.own }
    let silent = others.filter { !$0.isReachable }.map(\.id.text)
    let now = MonotonicTime.now
    let mayAsk = state.withLock { state in
      if let until = state.absent[id], until > now { return false }
      guard state.searches < Self.mostSearches else { return false }
      state.searches += 1
      return true
    }
    guard mayAsk else { return absent(silent, doubt) }
    defer { state.withLock { $0.searches -= 1 } }
    var unheard = silent
    var found: KnownNode?
    await withTaskGroup(of: (KnownNode, Bool?).self) { group in
      for node in others where node.isReachable {
        group.addTask { [peers] in (node, await Self.has(id, node, peers)) }
      }
      for await (node, has) in group {
        if has == true {
          found = node
          group.cancelAll()
        } else if has == nil {
          unheard.append(node.id.text)
        }
      }
    }
    if let found {
      known.note(id, at: found.id.text)
      return .node(found)
    }
    state.withLock { state in
      if state.absent.count >= Self.absentLimit { state.absent = [:] }
      state.absent[id] = .now + Self.absence
    }
    return absent(unheard, doubt)
  }

  /// Whether a node has a recording; nil where it gives no answer.
  private static func has(_ id: String, _ node: KnownNode, _ peers: RecordingPeers) async -> Bool? {
    do throws(NodeCluster.Unreached) {
      let (status, _) = try await peers.ask(.has(id), node, patience)
      return status == 200 ? true : status == 404 ? false : nil
    } catch {
      return nil
    }
  }

  /// What it means that nobody who was asked has a recording.
  ///
  /// - Parameters:
  ///   - silent: nodes that gave no answer.
  ///   - doubt: why Redis could not say it; nil where it says that nobody has it.
  /// - Returns: `.nobody`, or `.unclear` where one of the silent ones may have it.
  private func absent(_ silent: [String], _ doubt: String?) -> Place {
    guard let doubt, !silent.isEmpty else { return .nobody }
    let names = silent.sorted().joined(separator: ", ")
    return .unclear(
      "\(names) can't be reached, and Redis, which knows what they have, can't tell: \(doubt)")
  }

  // MARK: For viewers

  /// For an edge: whom to ask for files of recordings.
  var locator: RecordingLocator {
    RecordingLocator(
      known: { [self] name in place(of: name.id).flatMap(told) },
      find: { [self] name in
        told(await find(name.id, ofWedding: name.wedding)) ?? .nobody
      })
  }

  private func told(_ place: Place) -> RecordingLocator.Place? {
    switch place {
    case .node(let node):
      .node(
        Upstream(scheme: peers.scheme, authority: node.record.addresses.http),
        words: Self.away(node.id.text))
    case .away(let name): .away(words: Self.away(name))
    case .nobody, .own: .nobody
    case .unclear(let words): .away(words: "Who keeps this recording isn't known now: \(words).")
    }
  }

  /// What somebody is told who wants something of a recording on a node that can't be reached.
  static func away(_ node: String) -> String {
    "This recording is on \(node), which can't be reached now; try again when it is back."
  }
}

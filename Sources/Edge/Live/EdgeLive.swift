import Access
package import EventLoop
package import HTTPClient
import HTTPServer
import HTTPTypes
package import Logging
package import Media
import Synchronization
package import Telemetry
package import Viewers

/// The live streams that this edge's viewers watch: each is followed while somebody does.
///
/// Shared by all loops. A follower has one question open to the node that has the stream, fetches
/// each new segment of what is watched, and hands the new playlists to every loop: no viewer's
/// request goes to an origin, but for segments that nobody has watched yet.
package final class EdgeLive: Sendable {
  /// The streams of a node that has some itself, in the same tables.
  package struct OwnStreams: Sendable {
    let version: @Sendable () -> UInt64
    let isHere: @Sendable (StreamKey) -> Bool
    let kept: @Sendable () -> Duration

    /// - Parameters:
    ///   - version: numbers the snapshots of both.
    ///   - isHere: whether a stream is its own now, whatever another node says of it.
    ///   - kept: for how long segments of a stream that came home can still be had where they were
    ///     made.
    package init(
      version: @escaping @Sendable () -> UInt64,
      isHere: @escaping @Sendable (StreamKey) -> Bool,
      kept: @escaping @Sendable () -> Duration = { .zero }
    ) {
      self.version = version
      self.isHere = isHere
      self.kept = kept
    }
  }

  private struct State {
    var followers: [StreamKey: LiveFollower] = [:]
    /// Those of whose streams no node has said anything yet.
    var unanswered: Set<StreamKey> = []
    /// Those who wait for the first answer about a stream.
    var hearing: [StreamKey: [AsyncStream<Never>.Continuation]] = [:]
    /// Streams that nobody has, or of which nobody can be asked, and until when that is believed.
    var absent: [StreamKey: Absence] = [:]
    var loops: [LoopMailbox] = []
    var isClosed = false
  }

  private struct Absence {
    let until: MonotonicTime
    let isKnown: Bool
  }

  /// Why a stream isn't followed any more.
  enum End {
    /// Nobody watches it.
    case unwatched
    /// Nobody has it.
    case absent
    /// No node can say whether there is such a stream.
    case unknown
  }

  private static let absentLimit = 100_000

  let proxy: EdgeProxy
  let client: HTTPClient
  let configuration: LiveConfiguration
  let locator: LiveLocator
  let logger: Logger
  let metrics: LiveMetrics
  let pass: PeerPass
  /// The node's name, under which it says how many viewers it has.
  let name: String
  private let state = Mutex(State())
  private let version = Atomic<UInt64>(0)
  let own: OwnStreams?

  /// - Parameters:
  ///   - proxy: keeps the segments.
  ///   - client: asks nodes.
  ///   - pass: that is shown to them.
  ///   - name: of this node.
  ///   - locator: finds them.
  ///   - configuration: bounds.
  ///   - own: of a node that has streams of its own as well.
  ///   - registry: where `wedlive_edge_live_…` are counted.
  ///   - logger: hears of streams that are lost and found.
  package init(
    proxy: EdgeProxy, client: HTTPClient, pass: PeerPass, name: String, locator: LiveLocator,
    configuration: LiveConfiguration = LiveConfiguration(),
    own: OwnStreams? = nil, metrics registry: MetricRegistry,
    logger: Logger
  ) {
    self.proxy = proxy
    self.client = client
    self.pass = pass
    self.name = name
    self.locator = locator
    self.configuration = configuration
    self.own = own
    self.logger = logger
    metrics = LiveMetrics(registry)
    registry.gauge(
      "wedlive_edge_live_streams", help: "Live streams that are followed for viewers.",
      reading: { [weak self] in Double(self?.state.withLock { $0.followers.count } ?? 0) })
  }

  /// Names the loops that serve viewers.
  package func setLoops(_ loops: [LoopMailbox]) { state.withLock { $0.loops = loops } }

  /// Stops to follow; what loops have they go on to serve.
  package func close() {
    let followers = state.withLock { state in
      state.isClosed = true
      state.unanswered = []
      defer { state.followers = [:] }
      return Array(state.followers.values)
    }
    for follower in followers { follower.cancel() }
  }

  // MARK: For loops

  /// A stream that isn't in a loop's table, as `RemoteStreams.follow`.
  package func follow(_ key: StreamKey) -> RemoteStreams.Following {
    let new = LiveFollower(key, self)
    let (follower, refusal) = state.withLock {
      state -> (LiveFollower?, RemoteStreams.Following) in
      if let follower = state.followers[key] { return (follower, .absent) }
      if let absence = state.absent[key] {
        if absence.until > .now { return (nil, absence.isKnown ? .absent : .unknown) }
        state.absent[key] = nil
      }
      guard !state.isClosed else { return (nil, .unknown) }
      guard state.followers.count < configuration.streams,
        state.unanswered.count < configuration.unanswered
      else { return (nil, .full) }
      state.followers[key] = new
      state.unanswered.insert(key)
      return (new, .absent)
    }
    guard let follower else {
      if case .full = refusal { metrics.refused.increment() }
      return refusal
    }
    if follower === new { follower.start() }
    return .begun(follower.snapshot)
  }

  /// Follows a stream as if somebody watched it, and returns once a node has told of it, or none
  /// has it.
  ///
  /// - Parameters:
  ///   - key: the stream, as it is asked for.
  ///   - patience: how long that may take at most.
  func listen(_ key: StreamKey, atMost patience: Duration) async {
    let (answer, continuation) = AsyncStream.makeStream(of: Never.self)
    state.withLock { $0.hearing[key, default: []].append(continuation) }
    guard case .begun(let snapshot) = follow(key), snapshot.version == 0 else {
      return heard(key)
    }
    let limit = Task {
      try? await Task.sleep(for: patience)
      continuation.finish()
    }
    for await _ in answer {}
    limit.cancel()
  }

  /// Something is known of a stream, or nobody has it.
  private func heard(_ key: StreamKey) {
    for each in state.withLock({ $0.hearing.removeValue(forKey: key) }) ?? [] { each.finish() }
  }

  /// What viewers have of a stream; nil where it isn't followed.
  func snapshot(askedAs key: StreamKey) -> StreamSnapshot? {
    state.withLock { $0.followers[key] }?.snapshot
  }

  /// The stream of a segment's path, `/hls/{wedding}/{camera}/{rendition}/{name}`.
  static func key(ofPath path: String) -> StreamKey? {
    let parts = path.split(separator: "/", maxSplits: 3)
    return parts.count > 3 ? StreamKey(wedding: String(parts[1]), camera: String(parts[2])) : nil
  }

  /// Finds the nodes that may have a stream that nobody here follows.
  func find(_ key: StreamKey) async -> UpstreamPool {
    let rules = proxy.configuration.upstreamRules
    guard let keepers = locator.keepers else {
      return UpstreamPool(await locator.find(key).nodes, rules: rules)
    }
    // Who tells of it is asked first, and the others for what that one doesn't give out.
    let tellers = told(of: key)?.members.map(\.upstream) ?? []
    let nodes = keepers(key)
    return UpstreamPool(
      nodes.filter { tellers.contains($0) } + nodes.filter { !tellers.contains($0) },
      rules: rules, absence: nodes.isEmpty ? .absent : nil, isMixed: true)
  }

  /// Nodes that have a stream: known to whoever follows it, or its wedding's program; nil where
  /// others may have its segments, too.
  func pool(of key: StreamKey) -> UpstreamPool? {
    locator.keepers == nil ? told(of: key) : nil
  }

  private func told(of key: StreamKey) -> UpstreamPool? {
    state.withLock { state in
      let follower =
        state.followers[key]
        ?? StreamKey(wedding: key.wedding, camera: Claims.programCamera).flatMap {
          state.followers[$0]
        }
      return follower?.pool
    }
  }

  func request(_ path: String) -> HTTPRequest {
    var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
    request.headerFields[.authorization] = "Bearer \(pass.token)"
    return request
  }

  /// How many viewers of a stream this edge has, as a part of a query.
  func census(of key: StreamKey) async -> String {
    var viewers = 0
    for loop in state.withLock({ $0.loops }) {
      viewers +=
        (try? await loop.run { loop in
          loop.local(ViewerSite.self)?.table.viewers(
            of: key, now: loop.now.nanoseconds / 1_000_000_000) ?? 0
        }) ?? 0
    }
    return "edge=\(name)&viewers=\(viewers)"
  }

  /// A stream is another node's from now on.
  ///
  /// - Parameter key: of the camera that moved; its wedding's program may have moved with it.
  package func moved(_ key: StreamKey) {
    let followers = state.withLock { state in
      let names = [key, StreamKey(wedding: key.wedding, camera: Claims.programCamera)].compactMap {
        $0
      }
      // Somebody has it now, whatever was true a moment ago.
      for name in names { state.absent[name] = nil }
      return names.compactMap { state.followers[$0] }
    }
    for follower in followers { follower.relocate() }
  }

  /// Nodes don't answer any more: nobody waits for what they would have said.
  ///
  /// - Parameter authorities: where they were asked.
  package func lost(_ authorities: Set<String>) {
    guard !authorities.isEmpty else { return }
    for follower in state.withLock({ Array($0.followers.values) }) { follower.leave(authorities) }
  }

  // MARK: For followers

  func nextVersion() -> UInt64 { own?.version() ?? version.add(1, ordering: .relaxed).newValue }

  /// Whether a stream is this node's own by now.
  func isHere(_ key: StreamKey) -> Bool { own?.isHere(key) ?? false }

  /// Hands a stream's newest state to every loop.
  func publish(_ snapshot: StreamSnapshot, askedAs key: StreamKey) {
    let loops = state.withLock { state in
      state.unanswered.remove(key)
      return state.loops
    }
    heard(key)
    for loop in loops {
      loop.submit { loop in
        guard let site = loop.local(ViewerSite.self) else { return }
        site.table.update(snapshot, askedAs: key)
      }
    }
  }

  /// What a wedding's own address leads to is another stream now.
  ///
  /// A camera that has been the program goes on by its own address, where it is followed from now
  /// on. A program that is over as a stream of its own is no more.
  ///
  /// - Parameters:
  ///   - view: what is known of the former stream.
  ///   - last: what loops have of it.
  ///   - follower: has gone on to the other one, which loops have by now.
  func left(_ view: LiveView, _ last: StreamSnapshot, by follower: LiveFollower) {
    let key = last.key
    if key != follower.key {
      let next = LiveFollower(key, self, after: view)
      let isBegun = state.withLock { state in
        guard !state.isClosed, state.followers[key] == nil,
          state.followers.count < configuration.streams
        else { return false }
        state.followers[key] = next
        state.absent[key] = nil
        return true
      }
      if isBegun { return next.start() }
    }
    // Whoever asks for it next has it followed, or gets what another follower has.
    for loop in state.withLock({ $0.loops }) {
      loop.submit { loop in
        loop.local(ViewerSite.self)?.table.remove(key, version: last.version)
      }
    }
  }

  /// A stream isn't followed any more.
  ///
  /// - Parameters:
  ///   - follower: is forgotten.
  ///   - snapshot: that loops have; nil where they wait for the first.
  ///   - end: why.
  func end(_ follower: LiveFollower, last snapshot: StreamSnapshot?, as end: End) {
    let loops = state.withLock { state in
      if state.followers[follower.key] === follower {
        state.followers[follower.key] = nil
        state.unanswered.remove(follower.key)
      }
      if end != .unwatched {
        let now = MonotonicTime.now
        if state.absent.count >= Self.absentLimit {
          state.absent = state.absent.filter { $0.value.until > now }
        }
        if state.absent.count < Self.absentLimit {
          state.absent[follower.key] = Absence(
            until: now + configuration.absentFor, isKnown: end == .absent)
        }
      }
      return state.loops
    }
    let key = follower.key
    heard(key)
    for loop in loops {
      loop.submit { loop in
        guard let site = loop.local(ViewerSite.self) else { return }
        if let snapshot {
          site.table.remove(snapshot.key, version: snapshot.version)
        } else {
          site.table.refuse(key, with: end == .unknown ? ViewerErrors.noOrigin : Self.absent)
        }
      }
    }
  }

  private static let absent = PreparedResponse.error(
    404, code: "not_found", message: "There is no such stream, or nobody publishes it now.",
    cacheControl: "max-age=1")
}

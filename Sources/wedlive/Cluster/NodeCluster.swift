import Access
import Cluster
import ControlAPI
import Edge
import EventLoop
import HTTPClient
import Logging
import Media
import Operator
import Redis
import TLS
import Telemetry
import Viewers

/// This node's place in its cluster, as the configuration has it.
struct NodeCluster: Sendable {
  let node: ClusterNode
  let redis: RedisClient
  /// What nodes show each other.
  let pass: PeerPass
  /// Asks other nodes.
  let client: HTTPClient
  /// What all nodes seal TLS session tickets with.
  let tickets: SharedSecrets
  /// What they seal records with.
  let seal: RecordSeal
  let scheme: String

  /// What nodes show each other; nil where the configuration has no secret of a cluster.
  ///
  /// - Throws: `StartFailure` naming the file.
  static func pass(_ configuration: NodeConfiguration) throws(StartFailure) -> PeerPass? {
    try secret(configuration).map { PeerPass(secret: $0) }
  }

  private static func secret(
    _ configuration: NodeConfiguration
  ) throws(StartFailure) -> [UInt8]? {
    if let secret = configuration.cluster.secret { return Array(secret.utf8) }
    guard let path = configuration.cluster.secretFile else { return nil }
    do throws(StartFailure) {
      return try NodeSecret.read(path)
    } catch {
      throw StartFailure("cluster.secret_file: \(error)")
    }
  }

  /// Prepares to join; nothing is told to anybody before `run`.
  ///
  /// - Parameters:
  ///   - configuration: of the node.
  ///   - role: what it is.
  ///   - listeners: where it is reached.
  ///   - registry: of its metrics.
  ///   - logger: of the node.
  ///   - measure: its load.
  /// - Returns: nil where no Redis is configured.
  /// - Throws: `StartFailure` naming what is wrong.
  static func make(
    _ configuration: NodeConfiguration, role: NodeRole, listeners: NodeListeners,
    registry: MetricRegistry, logger: Logger, measure: @escaping @Sendable () -> NodeLoad
  ) throws(StartFailure) -> NodeCluster? {
    guard let address = try address(configuration) else { return nil }
    guard let secret = try secret(configuration) else {
      throw StartFailure(
        "cluster.secret: nodes that meet at redis.url need one to know each other by")
    }
    var record = try record(configuration, role, listeners)
    record.condition.secretMark = RecordSeal(secret).mark(
      of: try NodeSecret.load(configuration).secret)
    let scheme = configuration.cluster.tls ? "https" : "http"
    var cluster = ClusterConfiguration()
    cluster.secret = secret
    cluster.beat = configuration.cluster.beat
    cluster.missedBeats = configuration.cluster.missedBeats
    cluster.lease = configuration.cluster.lease
    cluster.slowStart = configuration.cluster.slowStart
    cluster.maxFails = configuration.cluster.maxFails
    cluster.failTimeout = configuration.cluster.failTimeout
    cluster.lostMemory = configuration.cluster.rememberDown
    cluster.reconnectWindow = configuration.streams.reconnectWindow
    cluster.endsEvery = configuration.cluster.endsEvery
    cluster.endsAtOnce = configuration.cluster.endsAtOnce
    cluster.endTelling = configuration.cluster.endTelling
    cluster.endsNoted = configuration.cluster.endsNoted
    do {
      var settings = RedisConfiguration(address)
      if let file = configuration.redis.certificateAuthorities { settings.trust = .file(file) }
      settings.commandDeadline = configuration.redis.deadline
      settings.connectDeadline = configuration.redis.connectTimeout
      settings.clientName = "wedlive-\(record.id)"
      let redis = try RedisClient(settings, metrics: registry)
      let client = try HTTPClient(configuration.peerClient, metrics: registry)
      return NodeCluster(
        node: try ClusterNode(
          record, redis: redis, configuration: cluster,
          probe: .http(client, scheme: scheme), measure: measure, metrics: registry,
          logger: logger),
        redis: redis, pass: PeerPass(secret: secret), client: client,
        tickets: SharedSecrets(redis, secret: secret, bytes: TicketKey.byteCount),
        seal: RecordSeal(secret),
        scheme: scheme)
    } catch {
      throw StartFailure("cluster: \(error)")
    }
  }

  /// What tells others that check this node that it is this one; nothing where there is no cluster.
  private static func healthFields(_ configuration: NodeConfiguration) -> [(
    name: String, value: String
  )] {
    guard configuration.redis.url != nil || configuration.redis.urlFile != nil else { return [] }
    return [(PeerProbe.nodeHeader, configuration.node.effectiveID)]
  }

  /// Makes a node's health, which tells others that check this node that it is this one, when
  /// something fails, and when it leaves.
  static func health(_ configuration: NodeConfiguration) -> Health {
    Health(
      healthFields(configuration), failing: [(PeerProbe.ailingHeader, "1")],
      leaving: [(PeerProbe.leavingHeader, "1")])
  }

  private static func address(
    _ configuration: NodeConfiguration
  ) throws(StartFailure) -> RedisAddress? {
    var text = configuration.redis.url
    if text == nil, let path = configuration.redis.urlFile {
      guard let bytes = try? ReadableFile.contents(path) else {
        throw StartFailure("redis.url_file: \(path): can't be read")
      }
      text = bytes.trimmingSpaces()
    }
    guard let text else { return nil }
    do throws(RedisAddress.Malformed) {
      return try RedisAddress(text)
    } catch {
      throw StartFailure("redis.url: \(error)")
    }
  }

  private static func record(
    _ configuration: NodeConfiguration, _ role: NodeRole, _ listeners: NodeListeners
  ) throws(StartFailure) -> NodeRecord {
    let name = configuration.node.effectiveID
    guard let id = NodeID(name) else {
      throw StartFailure("node.id: \(name) can't be a node's name in a cluster")
    }
    let host =
      configuration.cluster.address.isEmpty
      ? configuration.node.advertise : configuration.cluster.address
    func place(_ sockets: ListenerSockets?) -> String? {
      sockets.map { "\(OwnAddresses.literal(host)):\($0.address.port)" }
    }
    // Publishers and viewers meet edges: what these say of themselves is for them.
    let isEdge = role == .edge
    let named = configuration.public
    func told(_ name: String, _ port: UInt16, _ sockets: ListenerSockets?) -> String? {
      if !name.isEmpty { return name.contains(":") ? name : "\(name):\(port)" }
      return sockets.map {
        "\(OwnAddresses.literal(configuration.node.advertise)):\($0.address.port)"
      }
    }
    let key = configuration.cluster.ownPort.key
    guard let peers = place(listeners.byKey[key]) else {
      throw StartFailure("\(key): other nodes reach this one there, so it can't be off")
    }
    return NodeRecord(
      id: id, role: role, region: configuration.node.region,
      addresses: Cluster.NodeAddresses(
        http: peers,
        rtmp: isEdge ? told(named.rtmp, 1935, listeners.rtmp) : place(listeners.rtmp),
        rtmps: isEdge
          ? told(named.rtmps, 1936, listeners.rtmps)
          : place(configuration.cluster.isCertified ? listeners.peersRTMPS : listeners.rtmps),
        https: isEdge ? told(named.https, 443, listeners.https) : place(listeners.https)),
      version: Version.current)
  }

  /// Learns who is there, for as long as a connection to Redis and an answer may take.
  func look(_ redis: RedisSection) async {
    _ = await node.membership.look(atMost: redis.connectTimeout + redis.deadline)
  }

  /// Leaves the node's place to its next process.
  func retire() async { await node.membership.retire() }

  /// Lives in the cluster until the task is cancelled, and leaves it in order.
  func run() async {
    await node.run()
    // This task is cancelled by now, and Redis does nothing for such a one.
    await Task { await node.membership.leave() }.value
  }

  /// Says what load balancers and other nodes are to think of this one.
  func set(_ state: NodeState) { node.membership.update { $0.state = state } }

  /// Has the others know what fails at this node, and what should be known of it, from now on.
  func tell(of health: Health) {
    let membership = node.membership
    health.observe {
      // Read there, so that no older one is told after a newer one.
      membership.update {
        $0.condition.fault = health.fault
        $0.condition.remark = health.remark
      }
    }
  }

  /// Says that this node takes nothing new, and returns when edges have taken its streams
  /// elsewhere.
  ///
  /// - Parameters:
  ///   - patience: how long that may take.
  ///   - empty: returns once none is left, or its task is cancelled.
  func handOver(atMost patience: Duration, until empty: @escaping @Sendable () async -> Void) async
  {
    await sayLeaving()
    await Patience.wait(atMost: patience, for: empty)
  }

  // MARK: Where streams are

  /// For an edge: the node that has a stream, and then all others that could.
  var locator: LiveLocator {
    let node = node
    let scheme = scheme
    return LiveLocator(
      find: { key in await Self.place(of: key, node, scheme) },
      failed: { upstream in
        let view = node.membership.view
        for known in view.nodes.values where known.record.addresses.http == upstream.authority {
          node.membership.report(failure: known.id)
        }
      },
      isStale: { key, epoch, upstream in
        guard let stream = StreamID(wedding: key.wedding, camera: key.camera) else { return false }
        return node.directory.isStale(epoch, of: stream, toldAt: upstream.authority)
      })
  }

  /// The other node that has a wedding's cameras; nil where none is known to, or it can't be
  /// reached.
  func otherHome(of wedding: String) async -> String? {
    guard let stream = StreamID(wedding: wedding, camera: Claims.mainCamera),
      let home = await node.home(of: stream), home != node.membership.own,
      node.membership.view[home]?.isReachable == true
    else { return nil }
    return home.text
  }

  private static func place(
    of key: StreamKey, _ node: ClusterNode, _ scheme: String
  ) async -> LiveLocator.Place {
    let view = node.membership.view
    if key.camera == Claims.programCamera,
      let program = StreamID(wedding: key.wedding, camera: key.camera),
      let owner = try? await node.directory.owner(of: program), owner.isLive, !owner.hasEnded,
      view[owner.node]?.isReachable == true
    {
      return LiveLocator.Place(upstreams([owner.node], view, scheme), isLive: true)
    }
    // A program of its own, and what the API knows of a wedding, is where its cameras are; there
    // needn't be one that is called main.
    let camera = key.camera == Claims.programCamera ? Claims.mainCamera : key.camera
    var found: [NodeID] = []
    if let stream = StreamID(wedding: key.wedding, camera: camera) {
      let owner = try? await node.directory.owner(of: stream)
      if let owner { found.append(owner.node) }
      // Whoever had it before may still answer, and has nothing new.
      if let owner, owner.isLive, !owner.hasEnded, view[owner.node]?.isReachable == true {
        return LiveLocator.Place(upstreams(found, view, scheme), isLive: true)
      }
      if camera == Claims.mainCamera, let home = await node.home(of: stream),
        view[home]?.isReachable == true
      {
        found = [home] + found.filter { $0 != home }
        if key.camera == Claims.programCamera {
          return LiveLocator.Place(upstreams(found, view, scheme), isLive: true)
        }
      }
    }
    // Those that have ended it last, and those that Redis says nothing of, may have it still.
    found += view.origins.filter(\.isReachable).map(\.id).filter { !found.contains($0) }
    // One that doesn't answer would keep the question from those that do, and hold it for as long
    // as it may.
    let there = upstreams(found.filter { view[$0]?.isDown != true }, view, scheme)
    let isGuess = node.directory.isSilent
    guard !there.isEmpty else {
      return LiveLocator.Place(upstreams(found, view, scheme), isPartial: true, isGuess: isGuess)
    }
    return LiveLocator.Place(
      there, isPartial: found.contains { view[$0]?.isDown == true }, isGuess: isGuess)
  }

  private static func upstreams(
    _ nodes: [NodeID], _ view: ClusterView, _ scheme: String
  ) -> [Upstream] {
    nodes.compactMap { view[$0] }.map {
      Upstream(scheme: scheme, authority: $0.record.addresses.http)
    }
  }

  /// The origins that are there, for what any of them can answer.
  var origins: [Upstream] {
    node.membership.view.origins.filter(\.isReachable).map {
      Upstream(scheme: scheme, authority: $0.record.addresses.http)
    }
  }
}

import Edge
import EventLoop
import HTTPServer
import Logging
import Media
import Telemetry
import Viewers

/// Streams whose publishers are still with the processes before this one: this one's viewers get
/// them from there, as an edge's get those of an origin.
final class ElderStreams: Sendable {
  /// A publisher waits for so long at most until it is known what the process before has listed.
  private let patience: Duration
  let live: EdgeLive
  /// Those that this process has by now.
  let home: HomeStreams
  private let proxy: EdgeProxy
  private let metrics: EdgeMetrics
  /// To those processes.
  let line: ElderLine

  /// - Parameters:
  ///   - line: to the processes before this one.
  ///   - configuration: of the node.
  ///   - registry: of its metrics.
  ///   - isHere: whether this process has a stream itself.
  ///   - version: numbers snapshots, together with those of its own streams.
  init(
    _ line: ElderLine, _ configuration: NodeConfiguration, _ registry: MetricRegistry,
    isHere: @escaping @Sendable (StreamKey) -> Bool, version: @escaping @Sendable () -> UInt64
  ) {
    self.line = line
    var cache = EdgeConfiguration()
    cache.upstreams = line.upstreams
    cache.memoryBytes = configuration.shutdown.upgradeMemory
    patience = configuration.shutdown.upgradeAnswers
    proxy = EdgeProxy(cache, client: line.client, logger: Logger(label: "edge"))
    metrics = EdgeMetrics(registry, of: proxy)
    live = EdgeLive(
      proxy: proxy, client: line.client, pass: line.pass,
      name: configuration.node.effectiveID,
      locator: LiveLocator(
        find: { LiveLocator.Place(isHere($0) ? [] : line.upstreams) },
        keepers: { _ in line.upstreams }),
      configuration: configuration.edgeLive,
      own: EdgeLive.OwnStreams(
        version: version, isHere: isHere,
        kept: { line.upstreams.isEmpty ? .zero : configuration.streams.window }),
      metrics: registry,
      logger: Logger(label: "live"))
    home = HomeStreams(live)
  }

  /// For those who ask one loop.
  ///
  /// - Parameters:
  ///   - server: of the loop.
  ///   - isForPeers: whether they are other nodes, and not viewers.
  /// - Returns: what answers them.
  func remote(on server: LoopServer, isForPeers: Bool = false) -> RemoteStreams {
    RemoteStreams(
      follow: { [self] key in line.areGone ? .absent : live.follow(key) },
      segments: EdgeHandler(
        proxy, metrics, on: server, routing: isForPeers ? .peerSegments(live) : .segments(live)),
      // Anybody may listen where one has listened that has ended.
      others: EdgeHandler(
        proxy, metrics, on: server, routing: .upstreams { [line] in line.upstreams }))
  }

  /// For the process after this one, which lists what this one has listed, too.
  ///
  /// - Parameter server: at the door of this process.
  /// - Returns: what gives out segments that those before have made.
  func carried(on server: LoopServer) -> RequestHandler {
    EdgeHandler(proxy, metrics, on: server, routing: .peerSegments(live))
  }

  /// Has what viewers have of a stream known here before it goes on here.
  func hear(_ key: StreamKey) async { await home.hear(key, atMost: patience) }

  /// One of them has ended: nobody at its port is asked any more.
  func drop() { proxy.upstreams.set(line.upstreams) }

  /// The last of them has ended: what there is of their streams is served on for a while.
  func end() {
    drop()
    line.end()
  }
}

import Edge
import EventLoop
import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Logging
import Media
import Operator
import Origin
import Synchronization
import Telemetry
import Viewers

/// Streams whose publishers are still with the processes before this one: this one's viewers get them
/// from there, as an edge's get those of an origin.
final class ElderStreams: Sendable {
  private static let memoryBytes = 256 << 20

  let live: EdgeLive
  private let proxy: EdgeProxy
  private let metrics: EdgeMetrics
  private let client: HTTPClient
  private let areGone = Mutex(false)
  private let doors: [Upstream]
  private let pass: PeerPass
  /// What they have said last, in sums.
  let tally: ElderTally
  /// What they have said last, and when.
  private let said = Mutex<(statuses: [NodeStatus], at: MonotonicTime)?>(nil)
  /// For how long that is believed: each call of the API may ask for it.
  private static let sayingLife = Duration.milliseconds(500)
  private static let patience = Duration.seconds(2)
  /// One that waits for a storage, or for somebody to be sent away, takes a while.
  private static let orderPatience = Duration.seconds(8)
  private static let answerBytes = 16 << 20

  /// - Parameters:
  ///   - doors: of the processes before this one, the last one first.
  ///   - configuration: of the node.
  ///   - registry: of its metrics.
  ///   - isHere: whether this process has a stream itself.
  ///   - version: numbers snapshots, together with those of its own streams.
  /// - Throws: `StartFailure` where nothing can be asked.
  init?(
    _ doors: [UpgradeMessage.Door], _ configuration: NodeConfiguration, _ registry: MetricRegistry,
    isHere: @escaping @Sendable (StreamKey) -> Bool, version: @escaping @Sendable () -> UInt64
  ) throws(StartFailure) {
    guard let secret = doors.first?.secret else { return nil }
    let nodes = doors.compactMap { Upstream("http://127.0.0.1:\($0.port)") }
    self.doors = nodes
    pass = PeerPass(secret: secret)
    tally = ElderTally(registry)
    do throws(HTTPClientError) {
      client = try HTTPClient(configuration.peerClient, metrics: registry)
    } catch {
      throw StartFailure("the process before this one can't be asked: \(error)")
    }
    var cache = EdgeConfiguration()
    cache.upstreams = nodes
    cache.memoryBytes = Self.memoryBytes
    proxy = EdgeProxy(cache, client: client)
    metrics = EdgeMetrics(registry, of: proxy)
    live = EdgeLive(
      proxy: proxy, client: client, pass: pass,
      name: configuration.node.effectiveID,
      locator: LiveLocator(find: { LiveLocator.Place(isHere($0) ? [] : nodes) }),
      configuration: configuration.edgeLive,
      own: EdgeLive.OwnStreams(version: version, isHere: isHere), metrics: registry,
      logger: Logger(label: "live"))
  }

  /// For those who ask one loop.
  ///
  /// - Parameters:
  ///   - server: of the loop.
  ///   - isForPeers: whether they are other nodes, and not viewers.
  /// - Returns: what answers them.
  func remote(on server: LoopServer, isForPeers: Bool = false) -> RemoteStreams {
    RemoteStreams(
      follow: { [self] key in areGone.withLock { $0 } ? .absent : live.follow(key) },
      segments: EdgeHandler(
        proxy, metrics, on: server, routing: isForPeers ? .peerSegments(live) : .segments(live)),
      others: EdgeHandler(proxy, metrics, on: server))
  }

  /// Asks them what they have, and has them do something.
  var hands: ElderHands {
    ElderHands(
      tally: tally, statuses: { [self] in await statuses() },
      ask: { [self] order in await ask(order) })
  }

  /// Has each of them do something; no answer comes of those that have ended, or don't know the order.
  private func ask(_ order: ElderOrder) async -> [ElderAnswer] {
    guard !areGone.withLock({ $0 }), let body = try? JSONEncoder().encode(order) else { return [] }
    var answers: [ElderAnswer] = []
    for door in doors {
      guard
        let body = await send(.post, "/cluster/orders", Array(body), to: door, Self.orderPatience),
        let answer = try? JSONDecoder().decode(ElderAnswer.self, from: Data(body))
      else { continue }
      answers.append(answer)
    }
    // What it was may have changed.
    said.withLock { $0 = nil }
    return answers
  }

  /// What one of them answers with a 200; nil for anything else.
  private func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], to door: Upstream,
    _ patience: Duration
  ) async -> [UInt8]? {
    var request = HTTPRequest(
      method: method, scheme: door.scheme, authority: door.authority, path: path)
    request.headerFields[.authorization] = "Bearer \(pass.token)"
    guard
      let (response, answer) = try? await client.send(
        request, body: body, deadline: patience, maxResponseBytes: Self.answerBytes),
      response.status == .ok
    else { return nil }
    return answer
  }

  /// What they have; nothing of those that give no answer, as they have ended.
  func statuses() async -> [NodeStatus] {
    if areGone.withLock({ $0 }) { return [] }
    if let said = said.withLock({ $0 }), MonotonicTime.now - said.at < Self.sayingLife {
      return said.statuses
    }
    var statuses: [NodeStatus] = []
    for door in doors {
      guard let body = await send(.get, "/cluster/status", to: door, Self.patience),
        let status = try? JSONDecoder().decode(NodeStatus.self, from: Data(body))
      else { continue }
      statuses.append(status)
    }
    said.withLock { $0 = (statuses, .now) }
    tally.note(statuses)
    return statuses
  }

  /// The last of them has ended: what there is of their streams is served on for a while.
  func end() {
    areGone.withLock { $0 = true }
    tally.note([])
  }
}

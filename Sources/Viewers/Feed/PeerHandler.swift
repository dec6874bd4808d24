import Access
import EventLoop
package import HTTPSemantics
package import HTTPServer
import Media

/// Answers other nodes of the cluster on one loop: feeds of streams, and segments.
///
/// `/cluster/live/{wedding}/{camera}?after={version}&launch={name}&want={renditions}` is held until
/// there is something newer, and says with `edge={node}&viewers={count}` how many watch there;
/// `/cluster/hls/…` is what viewers get under `/hls/…`, `/cluster/recordings/…` is about this
/// node's recordings. Everything else is another handler's.
package final class PeerHandler: RequestHandler {
  /// How long a node that waits for news is kept.
  private static let patience = Duration.seconds(20)

  private static let notFound = PreparedResponse.error(
    404, code: "not_found", message: "There is no such stream on this node.")
  private static let noSegment = PreparedResponse.error(
    404, code: "no_segment", message: "This segment is no longer, or not yet, to be had.",
    cacheControl: "max-age=1")
  private static let refused = PreparedResponse.error(
    403, code: "not_a_peer", message: "Only nodes with the same cluster.secret are answered here.")
  private static let busy = PreparedResponse.error(
    503, code: "busy", message: "Too many requests wait on this node; try again.")
  private static let noNews = PreparedResponse(
    status: 204, fields: [("cache-control", "no-store")], body: [])

  private let table: StreamTable
  private let pass: PeerPass
  private let launch: String
  private let drain: PeerDrain?
  private let isForPeers: Bool
  private let remote: RemoteStreams?
  private let carried: RequestHandler?
  private let viewers: EdgeViewers?
  private let recordings: APICall?
  private let status: APICall?
  private let orders: APICall?
  private let inner: RequestHandler
  /// What a node's question gets where nobody is taken for a node.
  package static let elsewhere = PreparedResponse.error(
    403, code: "not_a_peer",
    message: "Nodes are not answered here; where they have certificates they are at listen.peers.")

  /// - Parameters:
  ///   - table: the loop's streams.
  ///   - pass: what nodes of the cluster show each other.
  ///   - launch: names the process.
  ///   - drain: of the node; nil where others can't ask for it.
  ///   - isForPeers: whether nodes are answered here; where they show certificates they are at a
  ///     port of their own alone.
  ///   - remote: streams that another process of this node still has; nil where there is none.
  ///   - carried: answers for segments that this process has listed, and another one has made; nil
  ///     where it has listed none.
  ///   - viewers: is told how many other nodes have.
  ///   - recordings: answers about this node's recordings.
  ///   - status: answers what this process has, to another one of its node; nil where none asks.
  ///   - orders: does something for the same; nil where none asks.
  ///   - inner: answers everything else.
  package init(
    table: StreamTable, pass: PeerPass, launch: String, drain: PeerDrain? = nil,
    isForPeers: Bool = true, remote: RemoteStreams? = nil,
    carried: RequestHandler? = nil, viewers: EdgeViewers? = nil,
    recordings: APICall? = nil, status: APICall? = nil, orders: APICall? = nil,
    inner: RequestHandler
  ) {
    self.orders = orders
    self.status = status
    self.remote = remote
    self.carried = carried
    self.viewers = viewers
    self.recordings = recordings
    self.drain = drain
    self.isForPeers = isForPeers
    self.table = table
    self.pass = pass
    self.launch = launch
    self.inner = inner
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    guard request.pathStarts(with: "/cluster/") else { return inner.handle(request, exchange) }
    guard isForPeers else { return .prepared(Self.elsewhere) }
    if let answer = drain?.answer(request) { return answer }
    guard let token = request.bearerToken, pass.fits(token) else {
      return .prepared(Self.refused)
    }
    if let recordings, request.pathStarts(with: "/cluster/recordings/") {
      return .deferred(recordings)
    }
    if let orders, request.method == .post, request.pathIs("/cluster/orders") {
      return .deferred(orders)
    }
    guard request.method.isRetrieval else { return .prepared(Self.notFound) }
    if let status, request.pathIs("/cluster/status") { return .deferred(status) }
    if request.pathStarts(with: "/cluster/live/") { return feed(request, exchange) }
    if request.pathStarts(with: "/cluster/hls/") {
      return request.withPath { segment($0, exchange) }
        ?? (carried ?? remote?.segments)?.handle(request, exchange) ?? .prepared(Self.noSegment)
    }
    return .prepared(Self.notFound)
  }

  private func feed(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    let parts = request.path.dropFirst("/cluster/live/".count).split(
      separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2,
      let key = StreamKey(wedding: String(parts[0]), camera: String(parts[1]))
    else { return .prepared(Self.notFound) }
    let address = Array("/hls/\(key.wedding)/\(key.camera)".utf8)
    guard let slot = table.slot(address.span) ?? follow(key, address) else {
      return .prepared(Self.notFound)
    }
    let snapshot = slot.snapshot
    // Who asks is told of what is this process's own: of what others have it tells nothing.
    if remote == nil, snapshot.launch != nil || snapshot.version == 0 {
      return .prepared(Self.notFound)
    }
    if let tallies = slot.tallies { exchange.count(into: tallies.node(of: nil)) }
    let second = exchange.server.loop.now.nanoseconds / 1_000_000_000
    // Followed for as long as somebody asks.
    if remote != nil { snapshot.interest?.note(now: second) }
    if let wanted = request.queryValue("want") {
      for name in wanted.split(separator: ",") {
        let bytes = Array(name.utf8)
        snapshot.renditions.first { $0.name == bytes }?.interest?.note(now: second)
      }
    }
    if let viewers, let edge = request.queryValue("edge"),
      let count = request.queryValue("viewers").flatMap({ Int($0) })
    {
      viewers.note(count, of: snapshot.key, at: edge, now: second)
    }
    let isSame = request.queryValue("launch") == snapshot.launch ?? launch
    let known = isSame ? request.queryValue("after").flatMap { UInt64($0) } : nil
    let isNews = known.map { $0 < snapshot.version } ?? true
    // Of what another process has, nothing is known yet.
    guard !isNews || snapshot.version == 0 else { return .prepared(table.feed(snapshot, launch)) }
    guard let held = exchange.hold(request, for: Self.patience, otherwise: Self.noNews) else {
      return .prepared(Self.busy)
    }
    slot.wait(
      held, for: .news(launch: launch), .everybody,
      isProgram: key.camera == Claims.programCamera, at: exchange.server)
    return .held(held)
  }

  /// The place of a stream that another process of this node has.
  private func follow(_ key: StreamKey, _ address: [UInt8]) -> StreamTable.Slot? {
    guard case .begun(let snapshot) = remote?.follow(key) else { return nil }
    table.update(snapshot, answers: false)
    return table.slot(address.span)
  }

  private func segment(
    _ whole: borrowing Span<UInt8>, _ exchange: borrowing Exchange
  ) -> Response? {
    let path = whole.extracting(droppingFirst: "/cluster".utf8.count)
    guard let address = ViewerPath(path), let camera = address.camera,
      let name = address.rendition,
      let slot = table.slot(path.extracting(0..<camera.upperBound))
    else { return nil }
    let renditions = slot.snapshot.renditions
    for index in renditions.indices
    where path.extracting(name).matches(renditions[index].name) {
      if let tallies = slot.tallies { exchange.count(into: tallies.node(of: index)) }
      switch renditions[index].segment(path.extracting(address.file)) {
      case .memory(let response): return .prepared(response)
      case .disk(let file): return file.whole()
      case .elsewhere, nil: return nil
      }
    }
    return nil
  }
}

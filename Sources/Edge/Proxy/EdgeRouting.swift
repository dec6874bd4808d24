import Cache
package import ControlAPI
import EventLoop
import HTTPSemantics
import HTTPServer
package import HTTPTypes
import Viewers

/// What an edge's handler answers for: how it names things, and whom it asks for them.
package struct EdgeRouting: Sendable {
  private enum Kind: Sendable {
    case upstreams
    case those(ChangingUpstreams)
    case cluster(EdgeRouter)
    case segments(EdgeLive)
  }

  private let kind: Kind
  /// What of a path isn't the name of what is asked for: other nodes ask for `/cluster/hls/…`.
  private var prefixBytes = 0
  /// Where whoever asks for something is to send publishers and viewers.
  private var sites: (@Sendable (HTTPRequest) -> KnownAddresses)?

  /// Anything, of upstreams that all serve the same.
  package static let upstreams = EdgeRouting(kind: .upstreams)

  /// Anything, of upstreams that come and go, the first of which is asked first.
  ///
  /// - Parameter those: that are there now; called for each request that is put to one.
  /// - Returns: what is answered for.
  package static func upstreams(_ those: @escaping @Sendable () -> [Upstream]) -> EdgeRouting {
    EdgeRouting(kind: .those(ChangingUpstreams(those)))
  }

  /// Anything of a cluster: what names a wedding is asked of the origin that has it.
  ///
  /// - Parameters:
  ///   - live: the streams.
  ///   - recordings: finds recordings; nil where any upstream has all of them.
  ///   - sites: where the edge has publishers and viewers sent, by a request that it is asked.
  /// - Returns: what an edge of a cluster answers for.
  package static func cluster(
    _ live: EdgeLive, recordings: RecordingLocator? = nil,
    sites: (@Sendable (HTTPRequest) -> KnownAddresses)? = nil
  ) -> EdgeRouting {
    let pools = recordings.map {
      RecordingPools($0, rules: live.proxy.configuration.upstreamRules)
    }
    var routing = EdgeRouting(kind: .cluster(EdgeRouter(live: live, recordings: pools)))
    routing.sites = sites
    return routing
  }

  /// Segments of live streams, which are known by their path alone and never change.
  package static func segments(_ live: EdgeLive) -> EdgeRouting {
    EdgeRouting(kind: .segments(live))
  }

  /// The same as other nodes ask for them.
  package static func peerSegments(_ live: EdgeLive) -> EdgeRouting {
    EdgeRouting(kind: .segments(live), prefixBytes: "/cluster".utf8.count)
  }

  /// Whom a request is put to, and as what.
  struct Question: Sendable {
    var request: HTTPRequest
    /// The configured upstreams where that is nil.
    var pool: UpstreamPool?
    /// How long nothing may come, where that is less than usual.
    var patience: Duration?
    /// Whether it is this node's own question: the same whoever it is asked for.
    var isOwn = false
  }

  /// Whether clients may have things asked for anew: not what never changes.
  var heedsClients: Bool { if case .segments = kind { false } else { true } }

  /// Whether large objects are kept in slices: segments are wanted whole, at once.
  var mayBeCut: Bool { heedsClients }

  // MARK: Names

  /// Appends what a request asks for: `host/path?query`, or what stands for that.
  func append(nameOf request: borrowing Request, to name: inout [UInt8]) {
    if case .segments = kind {
      request.withPath { path in
        LiveName.append(of: path.extracting(min(prefixBytes, path.count)..<path.count), to: &name)
      }
      return
    }
    request.withAuthority { host in
      for index in host.indices { name.append(asciiLowercase(host[index])) }
    }
    request.withTarget { target in
      for index in target.indices { name.append(target[index]) }
    }
  }

  func name(of request: borrowing Request) -> String {
    if case .segments = kind { return LiveName.of(named(request.path)) }
    return request.authority.lowercased() + request.target
  }

  func name(of request: HTTPRequest) -> String {
    if case .segments = kind { return LiveName.of(named(request.pathWithoutQuery)) }
    return (request.authority ?? "").lowercased() + (request.path ?? "/")
  }

  private func named(_ path: String) -> String {
    prefixBytes == 0 ? path : String(path.dropFirst(prefixBytes))
  }

  // MARK: Questions

  /// Tells whoever is asked on whose behalf, and where answers are to send them.
  func mark(_ request: inout HTTPRequest, from client: SocketAddress) {
    guard case .cluster(let router) = kind else { return }
    // First: a client may name any field in its Connection, ours too.
    request.headerFields = request.headerFields.withoutConnectionFields
    PeerCall.mark(&request, from: client, with: router.live.pass)
    if let sites, request.path?.hasPrefix("/api/") == true {
      PeerCall.mark(&request, sites: sites(request).text, with: router.live.pass)
    }
  }

  /// What is asked for a request, and of whom; nil where that has to be found out.
  func question(for request: HTTPRequest) -> Question? {
    switch kind {
    case .upstreams: return Question(request: request)
    case .those(let those): return Question(request: request, pool: those.pool)
    case .segments(let live):
      let path = named(request.pathWithoutQuery)
      let key = EdgeLive.key(ofPath: path)
      let pool = key.flatMap { live.pool(of: $0) }
      // Of a stream that nobody here watches any one node has it, and the others say 404.
      return key != nil && pool == nil ? nil : question(live, path, pool)
    case .cluster(let router):
      let path = request.pathWithoutQuery
      guard path.hasPrefix("/api/") || path.hasPrefix("/hls/") else {
        return Question(request: request)
      }
      // Any origin answers for all of the cluster.
      if router.isForAny(path) { return Question(request: request) }
      return router.known(path).map { Question(request: request, pool: $0) }
    }
  }

  /// Finds out what is asked, and of whom.
  ///
  /// - Parameters:
  ///   - request: as the client asked it.
  ///   - ask: called once, at once where nobody has to be found.
  func question(
    for request: HTTPRequest, _ ask: @escaping @Sendable (Question) -> Void
  ) {
    if let question = question(for: request) { return ask(question) }
    Task {
      guard case .segments(let live) = kind else {
        return ask(Question(request: request, pool: await pool(for: request, body: [])))
      }
      let path = named(request.pathWithoutQuery)
      var pool: UpstreamPool?
      if let key = EdgeLive.key(ofPath: path) { pool = await live.find(key) }
      ask(question(live, path, pool))
    }
  }

  private func question(_ live: EdgeLive, _ path: String, _ pool: UpstreamPool?) -> Question {
    Question(
      request: live.request("/cluster\(path)"), pool: pool,
      patience: live.configuration.segmentStall, isOwn: true)
  }

  /// Finds whom to hand a call on to; nil for the configured upstreams.
  func pool(for request: HTTPRequest, body: [UInt8]) async -> UpstreamPool? {
    switch kind {
    case .cluster(let router): await router.find(request, body: body)
    case .those(let those): those.pool
    case .upstreams, .segments: nil
    }
  }
}

extension HTTPRequest {
  /// The path, without the query.
  var pathWithoutQuery: String { String((path ?? "/").prefix { $0 != "?" }) }
}

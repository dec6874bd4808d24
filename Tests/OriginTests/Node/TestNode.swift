import Viewers
import Operator
import Access
import EventLoop
import HTTPClient
import HTTPServer
import HTTPTypes
import Ingest
import Logging
import Media
import RTMP
import Recording
import Store
import Synchronization
import TLS
import Telemetry
import Testing

@testable import Origin

/// A node with two loops, an RTMP and an HTTP port, as a program would put it together.
final class TestNode: Sendable {
  private static let secret = Array("a secret of thirty-two bytes ....".utf8)

  /// What other nodes show it.
  static let pass = PeerPass(secret: secret)

  let node: OriginNode
  let store = MemoryStreamNumbers()
  let issuer: TokenIssuer
  let rtmpPort: UInt16
  let client: HTTPClient
  let clients: LoopGroup
  private let loops: LoopGroup
  private let httpPort: UInt16

  init(
    hooks: BackendHooks = BackendHooks(), recordings: RecordingService? = nil,
    orders: RecordingOrders? = nil, leasing: StreamLeasing? = nil,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    _ change: (inout OriginConfiguration) -> Void = { _ in }
  ) async throws {
    var configuration = OriginConfiguration()
    change(&configuration)
    let verifier = TokenVerifier(keys: try await .secret(Self.secret))
    issuer = try await TokenIssuer(secret: Self.secret)
    let registry = MetricRegistry()
    node = OriginNode(
      configuration: configuration, verifier: verifier, hooks: hooks, metrics: registry,
      logger: logger, ledger: StreamLedger(store: store, logger: logger),
      recordings: recordings?.desk, orders: orders, leasing: leasing)
    client = try HTTPClient()
    clients = try LoopGroup(count: 1)
    loops = try LoopGroup(count: 2)
    let ports = Mutex<[UInt16]>([0, 0])
    let metrics = ServerMetrics(registry)
    let node = node
    let needsToken = configuration.watchNeedsToken
    try await loops.onEach { loop in
      let ingest = OriginLoop(on: loop, node: node, buffers: TLSBuffers())
      let server = LoopServer(on: loop, metrics: metrics)
      let table = StreamTable(traffic: node.traffic)
      let tokens = needsToken ? VerifiedTokens(verifier) : nil
      let viewers = ViewerHandler(
        table: table, gate: ViewerGate(tokens: tokens),
        routes: PublicRoutes(
          health: node.health, api: APICall { _ in .json(.notFound, []) }, page: { _ in nil }),
        recordings: recordings.map {
          RecordingSite(shelf: $0.shelf, reader: $0.reader, isLimitedByPlan: false)
        })
      loop.setLocal(ViewerSite(table: table, server: server, handler: viewers))
      let handler = PeerHandler(table: table, pass: Self.pass, launch: "1", inner: viewers)
      try ports.withLock { ports in
        let rtmp = try Self.listen(&ports[0])
        try ingest.ingest.listen(rtmp)
        try server.listen(try Self.listen(&ports[1]), tls: nil, handler: handler)
      }
    }
    rtmpPort = ports.withLock { $0[0] }
    httpPort = ports.withLock { $0[1] }
    node.outlet.setLoops(loops.mailboxes)
    node.relays.setLoops(loops.mailboxes)
    node.health.set(unready: nil)
  }

  deinit {
    clients.stop()
    loops.stop()
    client.close()
  }

  /// All loops listen on the same port; the first of them finds a free one.
  private static func listen(_ port: inout UInt16) throws -> Socket {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    let socket = try Socket.listening(on: address)
    port = socket.localAddress.port
    return socket
  }

  /// Makes a token.
  func token(
    _ scope: Scope = .publish, wedding: String = "w", camera: String? = nil, plan: String? = nil,
    priority: Int = 0, isUnlocked: Bool = false
  ) throws -> String {
    let now = StreamOutlet.wallClockMilliseconds / 1_000
    return try issuer.token(
      Claims(
        scope: scope, wedding: wedding, camera: camera, plan: plan, expires: now + 3_600,
        priority: priority, unlocked: isUnlocked),
      issued: now)
  }

  /// Connects a publisher or a player.
  func connect(_ purpose: Remote.Purpose, _ name: String) async throws -> Remote {
    try await Remote(purpose, name: name, port: rtmpPort, on: clients.mailboxes[0])
  }

  /// Connects a publisher, and waits until it is admitted.
  func publish(_ token: String) async throws -> Remote {
    let publisher = try await connect(.publish, token)
    #expect(await eventually { await publisher.state.hasStarted })
    return publisher
  }

  /// Asks for something over HTTP.
  func get(
    _ path: String, _ method: HTTPRequest.Method = .get, _ fields: HTTPFields = [:]
  ) async throws -> (response: HTTPResponse, body: [UInt8]) {
    var request = HTTPRequest(
      method: method, scheme: "http", authority: "127.0.0.1:\(httpPort)", path: path)
    request.headerFields = fields
    return try await client.send(request, deadline: .seconds(120))
  }

  /// The playlist of a stream; nil where there is none.
  func playlist(_ query: String = "", of camera: String = "main") async throws -> Playlist? {
    let (response, body) = try await get("/hls/w/\(camera)/source/index.m3u8" + query)
    return response.status == .ok ? Playlist(String(decoding: body, as: UTF8.self)) : nil
  }

  /// Waits until the playlist is as it should be.
  func eventuallyPlaylist(_ condition: (Playlist) -> Bool) async throws -> Bool {
    try await eventually { try await playlist().map(condition) ?? false }
  }

  /// Runs work on each loop with what the origin has there.
  func onEachLoop(_ work: @escaping @Sendable (OriginLoop) -> Void) async throws {
    try await loops.onEach { loop in if let origin = loop.local(OriginLoop.self) { work(origin) } }
  }

  var mailboxes: [LoopMailbox] { loops.mailboxes }
}

/// Asks a test before it answers: a backend, as slow as it has to be.
actor TestBackend {
  private(set) var asked: [UInt64] = []
  private(set) var told: [UInt64] = []
  private var isHeld = false
  private var held: [UInt64: CheckedContinuation<Refusal?, Never>] = [:]

  /// From here on nobody gets an answer before `answer(_:_:)`.
  func hold() { isHeld = true }

  /// Admits whoever comes from now on.
  func letAll() { isHeld = false }

  func answer(_ client: UInt64, _ refusal: Refusal? = nil) {
    held.removeValue(forKey: client)?.resume(returning: refusal)
  }

  func question(_ ask: ClientAsk) async -> Refusal? {
    asked.append(ask.clientID)
    guard isHeld else { return nil }
    return await withCheckedContinuation { held[ask.clientID] = $0 }
  }

  func notice(_ ask: ClientAsk) { told.append(ask.clientID) }

  nonisolated var publishHooks: BackendHooks {
    BackendHooks(onPublish: { await self.question($0) }, onPublishDone: { await self.notice($0) })
  }

  nonisolated var playHooks: BackendHooks {
    BackendHooks(onPlay: { await self.question($0) }, onPlayDone: { await self.notice($0) })
  }
}

import Dispatch
import EventLoop
import Glibc
import Synchronization
import TLS

/// What a client has on its loop: the links, and how to reach servers.
final class RedisEngine {
  /// An address to connect to, and the name behind it.
  struct Candidate {
    let endpoint: RedisAddress.Endpoint
    /// Nil for a Unix socket.
    let address: SocketAddress?
  }

  /// Names one link of a client.
  typealias LinkID = UInt64
  /// The link that commands take.
  static let commands: LinkID = 0

  let id: UInt64
  let configuration: RedisConfiguration
  let metrics: RedisMetrics
  let board: StateBoard
  private(set) unowned var loop: Loop
  private(set) lazy var locator = RedisLocator(self)
  private(set) lazy var subscriptions = SubscriptionLink(self)
  private let tls: TLSContext?
  private lazy var buffers = TLSBuffers(keep: 1)
  private var links: [LinkID: CommandLink] = [:]
  private var sentinels: SentinelLink?
  private var lookups: [UInt64: ([SocketAddress]) -> Void] = [:]
  private var nextLookup: UInt64 = 0
  private var hasSubscriptions = false
  private var isClosed = false

  init(
    id: UInt64, _ configuration: RedisConfiguration, tls: TLSContext?, metrics: RedisMetrics,
    board: StateBoard, on loop: Loop
  ) {
    self.id = id
    self.configuration = configuration
    self.tls = tls
    self.metrics = metrics
    self.board = board
    self.loop = loop
  }

  /// Begins to connect.
  func start() {
    let main = PrimaryLink(self)
    links[Self.commands] = main
    main.start()
    if case .sentinels(_, let primary) = configuration.address.place {
      let watch = SentinelLink(primary: primary, self)
      sentinels = watch
      watch.start()
    }
  }

  /// Ends everything; what waits is told `.closed`.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    sentinels?.close()
    if hasSubscriptions { subscriptions.close() }
    for link in links.values { link.close() }
    links = [:]
    lookups = [:]
    board.set(.closed)
  }

  // MARK: Links

  /// Hands a request to its link.
  func submit(_ request: CommandRequest, to link: LinkID) {
    guard let link = links[link] else { return request.complete(.failure(.closed)) }
    link.submit(request)
  }

  func cancel(_ request: UInt64, on link: LinkID) { links[link]?.cancel(request) }

  /// Opens a link of its own for commands that block.
  func open(_ link: LinkID) {
    guard !isClosed else { return }
    let made = CommandLink(self, patience: .seconds(1 << 30), blocks: true)
    links[link] = made
    made.start()
  }

  func closeLink(_ link: LinkID) { links.removeValue(forKey: link)?.close() }

  func add(_ feed: MessageFeed) {
    guard !isClosed else { return feed.finish(.closed) }
    hasSubscriptions = true
    subscriptions.add(feed)
  }

  func remove(_ feed: MessageFeed) {
    if hasSubscriptions { subscriptions.remove(feed) }
  }

  /// Sentinel names this primary: connections to any other are of the past.
  func primaryIs(_ address: String) {
    let all: [RedisLink] = Array(links.values) + (hasSubscriptions ? [subscriptions] : [])
    for link in all {
      if let server = link.server, server.address != address { link.retire(.primaryMoved) }
    }
  }

  // MARK: Connecting

  /// Makes a connection, which then tells its owner what comes of it.
  func connect(
    to candidate: Candidate, _ greeting: RedisSession.Greeting, _ owner: RedisConnection.Owner
  ) throws(RedisLoss) -> RedisConnection {
    guard
      let session = RedisSession(
        greeting, address: candidate.endpoint.description, limits: configuration.reply)
    else { throw .violated("out of memory") }
    do throws(SystemError) {
      let socket =
        switch (candidate.endpoint, candidate.address) {
        case (.unix(let path), _): try Socket.connecting(toUnix: path)
        case (.tcp, let address): try Socket.connecting(to: address ?? SocketAddress())
        }
      let connection = RedisConnection(
        socket, on: loop, session: session, tls: try secured(candidate.endpoint),
        patience: RedisConnection.Patience(configuration), owner: owner)
      try loop.add(connection)
      connection.begin()
      return connection
    } catch {
      throw .unreachable(error, at: candidate.endpoint.description)
    }
  }

  private func secured(_ endpoint: RedisAddress.Endpoint) throws(SystemError) -> TLSSession? {
    guard let tls, case .tcp(let host, _) = endpoint else { return nil }
    guard let session = TLSSession(client: tls, serverName: host, buffers: buffers) else {
      throw SystemError("SSL_new", ENOMEM)
    }
    return session
  }

  /// Finds the addresses of an endpoint, on another thread where it is a name.
  func resolve(
    _ endpoint: RedisAddress.Endpoint,
    _ found: @escaping (Result<[Candidate], RedisLoss>) -> Void
  ) {
    guard case .tcp(let host, let port) = endpoint else {
      return found(.success([Candidate(endpoint: endpoint, address: nil)]))
    }
    if let numeric = SocketAddress(host: host, port: port) {
      return found(.success([Candidate(endpoint: endpoint, address: numeric)]))
    }
    nextLookup += 1
    let lookup = nextLookup
    lookups[lookup] = { addresses in
      guard !addresses.isEmpty else { return found(.failure(.unknownHost(host))) }
      found(.success(addresses.map { Candidate(endpoint: endpoint, address: $0) }))
    }
    let (id, mailbox) = (id, loop.mailbox)
    DispatchQueue.global().async {
      let addresses = HostNames.addresses(of: host, port: port)
      mailbox.submit { loop in
        RedisTable.of(loop).engines[id]?.lookups.removeValue(forKey: lookup)?(addresses)
      }
    }
  }
}

/// The clients of one loop.
final class RedisTable {
  var engines: [UInt64: RedisEngine] = [:]

  static func of(_ loop: Loop) -> RedisTable {
    if let table = loop.local(RedisTable.self) { return table }
    let table = RedisTable()
    loop.setLocal(table)
    return table
  }
}

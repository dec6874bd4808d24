package import EventLoop
import HTTP2
import HTTPSemantics
package import HTTPTypes
package import TLS
import Telemetry

/// A listening address: who answers there, and with which certificate.
package final class ListeningSite {
  let handler: RequestHandler
  /// Replaced when the certificate is; connections keep the one they began with.
  package var tls: TLSContext?
  let acceptsProxyHeader: Bool
  /// Whether it is there for the operator, however many viewers there are.
  let isForOperator: Bool
  /// Whether its TLS lets nobody in but nodes of the cluster.
  let isForPeers: Bool

  init(
    handler: RequestHandler, tls: TLSContext?, acceptsProxyHeader: Bool, isForOperator: Bool,
    isForPeers: Bool
  ) {
    self.isForPeers = isForPeers
    self.handler = handler
    self.tls = tls
    self.acceptsProxyHeader = acceptsProxyHeader
    self.isForOperator = isForOperator
  }
}

/// The HTTP server of one loop: its listeners, its connections, and what they share.
package final class LoopServer {
  /// Plaintext that a connection without TLS gathers before it is sent.
  static let gatherBytes = 128 << 10
  /// How many connections the operator has beyond those of all.
  private static let operatorReserve = 64
  /// In how many parts clients are told that the server stops, where that is spread over a time.
  private static let drainSteps = 20

  package let loop: Loop
  package let configuration: ServerConfiguration
  let metrics: LoopMetrics
  let tlsBuffers: TLSBuffers
  let workspace: HTTP2Workspace?
  let standard = StandardResponses()
  private var commonFields: CommonFields
  private var listeners: [ChannelID] = []

  /// The request that is being handled; one at a time on a loop.
  var request: Request
  /// Where HTTP/1.1 output is put together before it is sealed.
  var stage: [UInt8] = []
  private var spareBuffers: [[UInt8]] = []

  package private(set) var connectionCount = 0
  var handshakes = HandshakeQueue()
  private var held = HeldRequests()
  private var crowd = Crowd()
  private var resting = RestQueue()
  private(set) lazy var pacer = Pacer(self)
  private var draining = false
  private var drains: [() -> Void] = []
  /// Told when no connection can be accepted for a moment, most often for want of descriptors.
  package var acceptFailed: (SystemError) -> Void = { _ in }

  /// Makes a server without listeners.
  package init(
    on loop: Loop, configuration: ServerConfiguration = ServerConfiguration(),
    metrics: ServerMetrics
  ) {
    self.loop = loop
    self.configuration = configuration
    self.metrics = LoopMetrics(metrics)
    tlsBuffers = TLSBuffers(gatherRecords: 9)
    workspace = HTTP2Workspace(limits: configuration.http2, requests: configuration.request)
    commonFields = CommonFields(configuration)
    request = Request(limits: configuration.request)
    stage.reserveCapacity(Self.gatherBytes)
  }

  /// Accepts connections on a listening socket.
  ///
  /// - Parameters:
  ///   - socket: from `Socket.listening(on:)`; one for each loop.
  ///   - tls: of the HTTPS listener; `nil` speaks plain HTTP/1.1.
  ///   - acceptsProxyHeader: whether the PROXY protocol, where it is on, is expected here.
  ///   - isForOperator: whether it has connections of its own, which viewers can't take away.
  ///   - isForPeers: whether `tls` lets nobody in but nodes of the cluster.
  ///   - handler: answers; of this loop alone.
  /// - Returns: the site, for a new certificate later.
  /// - Throws: `SystemError` when the kernel can watch no more.
  @discardableResult
  package func listen(
    _ socket: consuming Socket, tls: TLSContext?, acceptsProxyHeader: Bool = true,
    isForOperator: Bool = false, isForPeers: Bool = false, handler: RequestHandler
  ) throws(SystemError) -> ListeningSite {
    let site = ListeningSite(
      handler: handler, tls: tls, acceptsProxyHeader: acceptsProxyHeader,
      isForOperator: isForOperator, isForPeers: isForPeers)
    // The listener keeps the server: whoever made it need not.
    let listener = Listener(
      socket, on: loop,
      rested: { error in
        self.metrics.shared.acceptFailures.increment()
        self.acceptFailed(error)
      }, accept: { socket, client in self.accept(socket, from: client, at: site) })
    try loop.add(listener)
    listeners.append(listener.id)
    return site
  }

  private func accept(
    _ socket: consuming Socket, from client: SocketAddress, at site: ListeningSite
  ) {
    metrics.shared.opened.increment()
    let most = configuration.maximumConnections + (site.isForOperator ? Self.operatorReserve : 0)
    guard connectionCount < most else { return metrics.closed(.tooManyConnections) }
    let connection = Connection(socket, from: client, site: site, on: self)
    do {
      try loop.add(connection)
    } catch {
      return metrics.closed(.failure)
    }
    connectionCount += 1
    metrics.shared.connections.increment()
    connection.open()
  }

  /// A connection's handshake begins: where too many are under way, the oldest is given up.
  func beginHandshake(_ id: ChannelID) {
    if handshakes.count >= configuration.maximumHandshakes, let oldest = handshakes.removeOldest() {
      (loop.channel(oldest) as? Connection)?.end(.tooManyHandshakes)
    }
    handshakes.add(id)
  }

  func connectionClosed() {
    connectionCount -= 1
    metrics.shared.connections.decrement()
    if draining { checkDrained() }
  }

  // MARK: What connections share

  func refreshDate() { commonFields.refresh(second: loop.now.nanoseconds / 1_000_000_000) }

  /// The fields that go with a head.
  func common(_ isSecure: Bool, with head: HeaderBlock) -> HeaderBlock {
    if head.hasDate {
      return isSecure ? commonFields.secureForwarded : commonFields.plainForwarded
    }
    return isSecure ? commonFields.secure : commonFields.plain
  }

  func takeBuffer() -> [UInt8] { spareBuffers.popLast() ?? [] }

  /// Takes a buffer back, and leaves an empty array.
  func give(buffer: inout [UInt8]) {
    var given: [UInt8] = []
    swap(&given, &buffer)
    guard spareBuffers.count < 32, given.capacity <= 2 * Self.gatherBytes else { return }
    given.removeAll(keepingCapacity: true)
    spareBuffers.append(given)
  }

  // MARK: Held requests

  func hold(_ waiter: HeldRequests.Waiter, for timeout: Duration) -> HeldRequest? {
    guard held.count < configuration.maximumHeldRequests else { return nil }
    let token = held.insert(waiter)
    metrics.shared.held.increment()
    let timer = loop.schedule(after: timeout) { [weak self] in
      self?.timeOut(token)
    }
    held.set(timer: timer, for: token)
    return token
  }

  /// Answers a held request; called on this loop, by mail or a timer: what is streamed to a crowd
  /// is sent at once, which nobody may do while a connection reads a request.
  ///
  /// - Returns: false where the request has been answered, timed out, or its client has gone.
  @discardableResult
  package func release(_ token: HeldRequest, with response: ReadyResponse) -> Bool {
    guard let (waiter, connection) = take(token) else {
      if case .streamed(let streamed) = response { streamed.source.finished() }
      return false
    }
    connection.released(waiter, with: response)
    return true
  }

  /// Answers a held request and lets go of its connection: the next one comes over another.
  ///
  /// - Parameters:
  ///   - token: of the request.
  ///   - response: what it gets; nil for what it would get when its time is over.
  package func letGo(_ token: HeldRequest, with response: ReadyResponse?) {
    guard let (waiter, connection) = take(token) else {
      if case .streamed(let streamed)? = response { streamed.source.finished() }
      return
    }
    connection.leave()
    connection.released(waiter, with: response ?? waiter.otherwise)
  }

  /// Answers a held request from memory.
  @discardableResult
  package func release(_ token: HeldRequest, with response: PreparedResponse) -> Bool {
    release(token, with: .prepared(response))
  }

  /// Answers a held request as the request asks: conditions and ranges are seen to.
  ///
  /// - Parameters:
  ///   - token: of the request.
  ///   - response: `.prepared` or `.streamed`; any other is answered with a 500.
  ///   - request: a copy of what was asked.
  /// - Returns: false where the request has been answered, timed out, or its client has gone; a
  ///   streamed body is told that it is over.
  @discardableResult
  package func release(
    _ token: HeldRequest, with response: Response, to request: HTTPRequest
  ) -> Bool {
    guard let (waiter, connection) = take(token) else {
      if case .streamed(let streamed) = response { streamed.source.finished() }
      return false
    }
    connection.released(waiter, with: response, to: request)
    return true
  }

  private func timeOut(_ token: HeldRequest) {
    guard let (waiter, connection) = take(token) else { return }
    connection.released(waiter, with: waiter.otherwise)
  }

  /// Takes a waiter out; nil where it has gone, or its connection has.
  private func take(_ token: HeldRequest) -> (HeldRequests.Waiter, Connection)? {
    guard let waiter = held.remove(token) else { return nil }
    metrics.shared.held.decrement()
    if let timer = waiter.timer { loop.cancel(timer) }
    guard let connection = loop.channel(waiter.request.connection) as? Connection else {
      return nil
    }
    return (waiter, connection)
  }

  /// The client of a held request has gone.
  func forget(_ token: HeldRequest) {
    guard let waiter = held.remove(token) else { return }
    metrics.shared.held.decrement()
    if let timer = waiter.timer { loop.cancel(timer) }
  }

  /// Whether a request still waits for its answer.
  package func isHeld(_ token: HeldRequest) -> Bool { held.contains(token) }

  /// Requests that wait on this loop.
  package var heldCount: Int { held.count }

  /// Output buffers in the hands of connections that have something to send, for a gauge.
  package var outputBuffersInUse: Int { tlsBuffers.outputBuffersInUse }

  /// A response begins that was waited for.
  ///
  /// - Returns: whether its body is to wait for `Connection.bodyReady(stream:)`.
  func begins(_ request: RequestKey) -> Bool {
    let beginning = crowd.begin(request, at: loop.now)
    if beginning.isFirst { lookAtCrowd() }
    return beginning.waits
  }

  /// Looks behind all the mail that is there: the releases of a crowd come by mail.
  private func lookAtCrowd() {
    loop.mailbox.submit { [link = CrowdLink(self)] loop in
      guard let server = link.server else { return }
      for request in server.crowd.look(at: loop.now) {
        (loop.channel(request.connection) as? Connection)?.bodyMayBegin(stream: request.stream)
      }
      if !server.crowd.end() { server.lookAtCrowd() }
    }
  }

  // MARK: Resting

  /// A connection has become idle.
  func watch(_ connection: ChannelID, requests: Int) {
    if resting.isEmpty { lookAtIdle() }
    resting.add(RestQueue.Entry(connection: connection, requests: requests))
  }

  private func lookAtIdle() {
    loop.schedule(after: configuration.restInterval) { [weak self] in
      guard let self else { return }
      for entry in resting.take() {
        guard let connection = loop.channel(entry.connection) as? Connection else { continue }
        switch connection.look(sinceRequests: entry.requests) {
        case .idleAgain: watch(entry.connection, requests: connection.requestCount)
        case .rests: metrics.shared.rests.increment()
        case .leaves: break
        }
      }
    }
  }

  // MARK: Ending

  /// Takes no more connections; those that are open go on.
  package func stopAccepting() {
    for id in listeners { if let listener = loop.channel(id) { loop.close(listener) } }
    listeners = []
  }

  /// Stops accepting, lets every response in progress end, and closes the connections.
  ///
  /// - Parameters:
  ///   - spread: over how long clients are told; `drainSpread` where that is nil.
  ///   - done: called once, when the last connection has gone or `drainTimeout` is over after that.
  package func drain(spread: Duration? = nil, _ done: @escaping () -> Void = {}) {
    let spread = spread ?? configuration.drainSpread
    drains.append(done)
    guard !draining else { return checkDrained() }
    draining = true
    stopAccepting()
    let steps = spread > .zero ? Self.drainSteps : 1
    for step in 0..<steps { tellOfDrain(step, of: steps, within: spread) }
    loop.schedule(after: spread + configuration.drainTimeout) { [weak self] in
      self?.forEachConnection { $0.end(.drained) }
      self?.checkDrained()
    }
    checkDrained()
  }

  /// Tells one part of the connections, and a second later takes nothing more of them.
  private func tellOfDrain(_ step: Int, of steps: Int, within spread: Duration) {
    let begin = { [weak self] in
      guard let self else { return }
      var told: [ChannelID] = []
      forEachConnection { connection in
        guard connection.id.raw % UInt64(steps) == step else { return }
        told.append(connection.id)
        connection.beginDrain()
      }
      end(told)
    }
    if step == 0 { return begin() }
    loop.schedule(after: spread * step / steps, begin)
  }

  /// Lets go of one connection: its handshake was under way when the others were told, or what it
  /// asks for has moved.
  func letGo(_ connection: Connection) {
    connection.beginDrain()
    end([connection.id])
  }

  /// Takes nothing more of connections that have been told, a round trip later.
  private func end(_ told: [ChannelID]) {
    guard !told.isEmpty else { return }
    loop.schedule(after: .seconds(1)) { [weak self] in
      for id in told { (self?.loop.channel(id) as? Connection)?.endDrain() }
    }
  }

  private func forEachConnection(_ body: (Connection) -> Void) {
    var own: [Connection] = []
    loop.forEachChannel { channel in
      if let connection = channel as? Connection, connection.server === self {
        own.append(connection)
      }
    }
    for connection in own { body(connection) }
  }

  private func checkDrained() {
    guard connectionCount == 0 else { return }
    let waiting = drains
    drains = []
    for done in waiting { done() }
  }
}

/// A server as its loop's mailbox may hold it.
private final class CrowdLink: @unchecked Sendable {
  // Unchecked: it is read on the server's loop alone.
  private(set) weak var server: LoopServer?

  init(_ server: LoopServer) { self.server = server }
}

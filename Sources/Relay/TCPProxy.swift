package import EventLoop
package import TLS
import Telemetry

/// The plain TCP proxy of one loop: takes connections, and hands each one's bytes to an origin and
/// back without understanding them.
///
/// Between two sides that speak no TLS bytes go through a pipe in the kernel (splice); else they
/// are copied, a read at a time. Confined to its loop, where it can be found as
/// `loop.local(TCPProxy.self)`.
package final class TCPProxy {
  /// Bytes that wake the loop before it is time to look at a direction that is gathered.
  private static let gatherBytes = 64 << 10
  /// After how many looks in vain a direction is not gathered any more.
  private static let patience = 50

  package let loop: Loop
  package let configuration: TCPProxyConfiguration
  let handlers: TCPProxyHandlers
  let metrics: TCPProxyMetrics
  let buffers: TLSBuffers
  let pool: SplicePool
  /// Told when no connection can be accepted for a moment, most often for want of descriptors.
  package var acceptFailed: (SystemError) -> Void = { _ in }
  private var listeners: [Listener] = []
  private var connections: [UInt64: ProxiedConnection] = [:]
  private var lastID: UInt64 = 0
  private var handshakes = HandshakeQueue()
  private var emptied: [() -> Void] = []
  private var gathered: [(connection: ProxiedConnection, flow: ProxyFlow)] = []
  private var isTicking = false

  /// Makes a proxy without a listener and registers it with its loop.
  ///
  /// - Parameters:
  ///   - loop: where it lives.
  ///   - configuration: the bounds.
  ///   - handlers: who decides.
  ///   - metrics: shared by all loops.
  ///   - buffers: the loop's, shared with its other TLS servers.
  package init(
    on loop: Loop, configuration: TCPProxyConfiguration, handlers: TCPProxyHandlers,
    metrics: TCPProxyMetrics, buffers: TLSBuffers
  ) {
    self.loop = loop
    self.configuration = configuration
    self.handlers = handlers
    self.metrics = metrics
    self.buffers = buffers
    pool = SplicePool(bytes: configuration.pipeBytes)
    loop.setLocal(self)
  }

  /// Starts to accept on a listening socket.
  ///
  /// - Parameters:
  ///   - socket: listening, non-blocking.
  ///   - context: asked for each connection; nil where clients speak no TLS.
  /// - Throws: `SystemError` where the kernel can watch no more.
  package func listen(
    _ socket: consuming Socket, context: (() -> TLSContext)? = nil
  ) throws(SystemError) {
    let listener = Listener(
      socket, on: loop,
      rested: { [unowned self] error in
        metrics.acceptFailures.increment()
        acceptFailed(error)
      }, accept: { [unowned self] socket, peer in accept(socket, peer, context) })
    try loop.add(listener)
    listeners.append(listener)
  }

  private func accept(
    _ socket: consuming Socket, _ peer: SocketAddress, _ context: (() -> TLSContext)?
  ) {
    guard connections.count < configuration.maximumConnections else {
      return metrics.refused.increment()
    }
    var tls: TLSSession?
    if let context {
      tls = TLSSession(server: context(), buffers: buffers)
      guard tls != nil else { return metrics.ended(.exhausted) }
    }
    let client = ProxyEnd(socket, .client, tls: tls, isConnected: true, on: loop)
    do {
      try loop.add(client)
    } catch {
      return metrics.ended(.exhausted)
    }
    lastID += 1
    let connection = ProxiedConnection(
      lastID, client, peer: peer, expectsHeader: configuration.trustedProxies.contains(peer), self)
    connections[lastID] = connection
    metrics.connections.increment()
    if tls != nil { beginHandshake(client.id) }
    connection.begin()
  }

  // MARK: Connections

  func connection(_ id: UInt64) -> ProxiedConnection? { connections[id] }

  /// A connection's handshake begins: where too many are under way, the oldest is given up.
  private func beginHandshake(_ id: ChannelID) {
    if handshakes.count >= configuration.maximumHandshakes, let oldest = handshakes.removeOldest() {
      (loop.channel(oldest) as? ProxyEnd)?.owner?.end(.handshake, "too many handshakes")
    }
    handshakes.add(id)
  }

  func endHandshake(_ id: ChannelID) { handshakes.remove(id) }

  /// A connection is over.
  func removed(_ connection: ProxiedConnection, _ report: TCPProxyReport) {
    guard connections.removeValue(forKey: connection.id) != nil else { return }
    handshakes.remove(connection.client.id)
    metrics.connections.decrement()
    metrics.ended(report.outcome)
    handlers.ended(report)
    guard connections.isEmpty else { return }
    let waiting = emptied
    emptied = []
    for body in waiting { body() }
  }

  // MARK: Gathering

  /// Looks at a direction that much goes every so often from here on.
  ///
  /// A publisher sends some hundred small packets a second; woken for none of them the loop moves
  /// what has come of all publishers in one turn.
  func gather(_ flow: ProxyFlow, of connection: ProxiedConnection) {
    guard configuration.gather > .zero else { return }
    flow.emptyTicks = 0
    flow.source.gather(Self.gatherBytes)
    gathered.append((connection, flow))
    tick()
  }

  /// How many directions that is.
  var gatheredCount: Int { gathered.count }

  private func tick() {
    guard !isTicking, !gathered.isEmpty else { return }
    isTicking = true
    loop.schedule(after: configuration.gather) { [weak self] in self?.look() }
  }

  private func look() {
    isTicking = false
    // What ends meanwhile is passed over; nothing is added before the last one was looked at.
    var kept = gathered
    gathered = []
    kept.removeAll { connection, flow in
      guard connection.pumpGathered(flow) else { return true }
      guard flow.emptyTicks >= Self.patience else { return false }
      flow.source.gather(nil)
      flow.gathersAt = flow.bytes + UInt64(Self.gatherBytes)
      // What came while nobody was to be woken for it.
      flow.source.readable()
      return true
    }
    gathered = kept + gathered
    tick()
  }

  // MARK: For the node

  package var connectionCount: Int { connections.count }

  /// Takes no more connections; those that are open go on.
  package func stopAccepting() {
    for listener in listeners { loop.close(listener) }
    listeners.removeAll()
  }

  /// Calls back once no connection is open, at once where there is none.
  package func whenEmpty(_ body: @escaping () -> Void) {
    if connections.isEmpty { body() } else { emptied.append(body) }
  }

  /// An origin is known to be gone: who is connected to it is closed, and may come again.
  package func originLost(_ name: String) {
    for connection in Array(connections.values)
    where connection.stage == .open && connection.target?.name == name {
      connection.end(.originLost, "\(name) is gone")
    }
  }

  /// Takes no more connections, and closes all that there are.
  package func end() {
    stopAccepting()
    for connection in Array(connections.values) {
      connection.end(.stopped, "this server is being stopped")
    }
  }
}

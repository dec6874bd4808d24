package import EventLoop
import Telemetry
package import TLS

/// The RTMP server of one loop: its listeners and its connections.
package final class IngestServer {
  package let loop: Loop
  package let configuration: IngestConfiguration
  package let relay: RelayTable
  let handlers: IngestHandlers
  let metrics: IngestMetrics
  private let buffers: TLSBuffers
  private var listeners: [Listener] = []
  private var connections: Set<ChannelID> = []
  private var emptied: [() -> Void] = []
  /// Told when no connection can be accepted for a moment, most often for want of descriptors.
  package var acceptFailed: (SystemError) -> Void = { _ in }
  /// TLS handshakes under way.
  private var handshakes = HandshakeQueue()

  /// Makes a server without a listener.
  ///
  /// - Parameters:
  ///   - loop: where all of it lives.
  ///   - configuration: the bounds.
  ///   - relay: the loop's table of players.
  ///   - handlers: who decides.
  ///   - metrics: shared by all loops.
  ///   - buffers: the loop's, shared with its other TLS servers.
  package init(
    loop: Loop, configuration: IngestConfiguration, relay: RelayTable, handlers: IngestHandlers,
    metrics: IngestMetrics, buffers: TLSBuffers
  ) {
    self.loop = loop
    self.configuration = configuration
    self.relay = relay
    self.handlers = handlers
    self.metrics = metrics
    self.buffers = buffers
  }

  /// Starts to accept on a listening socket.
  ///
  /// - Parameters:
  ///   - socket: listening, non-blocking.
  ///   - context: asked for each connection, so that a new certificate is used at once; nil for
  ///     plain RTMP.
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

  /// Takes no more connections; those that are open go on.
  package func stopAccepting() {
    for listener in listeners { loop.close(listener) }
    listeners.removeAll()
  }

  /// Every open connection.
  package func forEachConnection(_ body: (RTMPConnection) -> Void) {
    for id in connections { if let each = loop.channel(id) as? RTMPConnection { body(each) } }
  }

  /// Calls back once no connection is open, at once where there is none.
  package func whenEmpty(_ body: @escaping () -> Void) {
    if connections.isEmpty { body() } else { emptied.append(body) }
  }

  package var connectionCount: Int { connections.count }

  private func accept(
    _ socket: consuming Socket, _ peer: SocketAddress, _ context: (() -> TLSContext)?
  ) {
    metrics.accepted.increment()
    guard connections.count < configuration.maximumConnections else {
      return metrics.closed("too many connections")
    }
    var tls: TLSSession?
    if let context {
      guard let session = TLSSession(server: context(), buffers: buffers) else {
        return metrics.closed("out of memory")
      }
      tls = session
    }
    let connection = RTMPConnection(socket, peer: peer, tls: tls, server: self)
    do {
      try loop.add(connection)
    } catch {
      return metrics.closed("too many descriptors")
    }
    connections.insert(connection.id)
    if connection.isInHandshake { beginHandshake(connection.id) }
    metrics.connections.increment()
    connection.begin()
  }

  /// A connection's handshake begins: where too many are under way, the oldest is given up.
  private func beginHandshake(_ id: ChannelID) {
    if handshakes.count >= configuration.maximumHandshakes, let oldest = handshakes.removeOldest() {
      (loop.channel(oldest) as? RTMPConnection)?.end(.closedByUs("too many handshakes"))
    }
    handshakes.add(id)
  }

  func endHandshake(_ id: ChannelID) { handshakes.remove(id) }

  func removed(_ connection: RTMPConnection, _ reason: String) {
    guard connections.remove(connection.id) != nil else { return }
    metrics.connections.decrement()
    metrics.closed(reason)
    handlers.closed(connection, reason)
    guard connections.isEmpty else { return }
    let waiting = emptied
    emptied = []
    for body in waiting { body() }
  }
}

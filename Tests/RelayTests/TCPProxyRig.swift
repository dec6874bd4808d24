import Bytes
import EventLoop
import Glibc
import TLS
import Telemetry
import Testing

@testable import Relay

/// One end of a connection under test, with or without TLS: it keeps what it is sent, and reads
/// only as much as it is told.
final class TestPeer: Channel {
  let tls: TLSSession?
  private(set) var received: [UInt8] = []
  private(set) var receivedCount = 0
  /// Whether the other side has ended, or was reset.
  private(set) var hasSeenEnd = false
  private(set) var wasReset = false
  /// Whether it reads; `goOn` reads again.
  var isReading = true
  /// Whether what it reads is kept.
  var keeps = true
  private var queue = SendQueue()
  private var isFinishing = false

  init(_ socket: consuming Socket, on loop: Loop, tls: TLSSession? = nil) {
    self.tls = tls
    super.init(socket, on: loop)
  }

  var waitingBytes: Int { queue.count + (tls?.pendingOutputBytes ?? 0) }

  func send(_ bytes: [UInt8]) {
    queue.append(bytes)
    loop.flushLater(self)
  }

  /// Ends its side once all is sent.
  func finish() {
    isFinishing = true
    loop.flushLater(self)
  }

  /// Closes with a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    let size = socklen_t(MemoryLayout<linger>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, size)
    loop.close(self)
  }

  func goOn() {
    isReading = true
    loop.again(self)
  }

  override func readable() {
    while isReading, !isClosed, !hasSeenEnd {
      let result = loop.receive(self) { bytes in
        guard let tls else { return keep(bytes) }
        if tls.receive(bytes, plaintext: { keep($0) }) == .closed { hasSeenEnd = true }
      }
      switch result {
      case .bytes: loop.flushLater(self)
      case .wouldBlock: return
      case .closed: hasSeenEnd = true
      case .failed:
        hasSeenEnd = true
        wasReset = true
      }
    }
  }

  private func keep(_ bytes: borrowing Span<UInt8>) {
    receivedCount += bytes.count
    if keeps { received.append(copying: bytes) }
  }

  override func writable() { flush() }

  override func flush() {
    guard let tls else {
      guard case .bytes = queue.flush(to: descriptor) else { return }
      if isFinishing { shutdown(descriptor, Int32(SHUT_WR)) }
      return
    }
    while true {
      if !tls.isHandshaking {
        queue.drain { if case .done(let count) = tls.write($0) { count } else { 0 } }
        if queue.isEmpty, isFinishing { tls.shutdown() }
      }
      guard tls.hasPendingOutput else { break }
      let result = tls.withOutput { output in
        unsafe output.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      }
      guard case .bytes(let count) = result else { return }
      tls.consumeOutput(count)
    }
    if isFinishing, tls.hasShutDown { shutdown(descriptor, Int32(SHUT_WR)) }
  }
}

/// A server whose connections are test peers.
final class TestServer {
  let name: String
  let port: UInt16
  private(set) var peers: [TestPeer] = []
  private let listener: Listener
  private let loop: Loop
  /// Called with each connection.
  var accepted: (TestPeer) -> Void = { _ in }

  init(_ name: String, on loop: Loop, context: TLSContext? = nil) throws {
    self.name = name
    self.loop = loop
    let socket = try Socket.listening(
      on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    port = socket.localAddress.port
    weak var me: TestServer?
    let buffers = TLSBuffers()
    listener = Listener(socket, on: loop) { socket, _ in
      guard let me else { return }
      let tls = context.flatMap { TLSSession(server: $0, buffers: buffers) }
      let peer = TestPeer(socket, on: loop, tls: tls)
      try? loop.add(peer)
      me.peers.append(peer)
      me.accepted(peer)
    }
    me = self
    try loop.add(listener)
  }

  func stop() { loop.close(listener) }

  func forget() { peers = [] }
}

/// A plain TCP proxy and its origins, all on the test's own loop.
final class TCPProxyRig {
  let loop: Loop
  let proxy: TCPProxy
  let registry = MetricRegistry()
  let metrics: TCPProxyMetrics
  private(set) var port: UInt16 = 0
  /// Where connections may go, in the order of preference.
  var targets: [RelayTarget] = []
  private(set) var questions: [Set<String>] = []
  private(set) var failures: [String] = []
  private(set) var reports: [TCPProxyReport] = []
  private let buffers = TLSBuffers()

  init(
    _ configuration: TCPProxyConfiguration = TCPProxyConfiguration(), context: TLSContext? = nil
  ) throws {
    loop = try Loop()
    metrics = TCPProxyMetrics(registry)
    weak var me: TCPProxyRig?
    proxy = TCPProxy(
      on: loop, configuration: configuration,
      handlers: TCPProxyHandlers(
        place: { _, excluded in
          me?.questions.append(excluded)
          return me?.targets.first { !excluded.contains($0.name) }
        }, failed: { me?.failures.append($0) }, ended: { me?.reports.append($0) }),
      metrics: metrics, buffers: buffers)
    me = self
    let socket = try Socket.listening(
      on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    port = socket.localAddress.port
    if let context {
      try proxy.listen(socket, context: { context })
    } else {
      try proxy.listen(socket)
    }
  }

  func origin(
    _ name: String = "o1", context: TLSContext? = nil, trusted: TLSContext? = nil
  ) throws -> TestServer {
    let server = try TestServer(name, on: loop, context: context)
    targets.append(
      RelayTarget(
        name: name, host: "127.0.0.1", port: server.port, tls: trusted, serverName: "localhost"))
    return server
  }

  func client(_ context: TLSContext? = nil) throws -> TestPeer {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    let tls = context.flatMap {
      TLSSession(client: $0, serverName: "localhost", buffers: buffers)
    }
    let peer = TestPeer(try Socket.connecting(to: address), on: loop, tls: tls)
    try loop.add(peer)
    return peer
  }

  /// Takes turns until something has happened; false when it never did.
  func turns(_ limit: Duration = .seconds(120), until done: () -> Bool) -> Bool {
    let end = MonotonicTime.now + limit
    while !done() {
      if MonotonicTime.now > end { return false }
      loop.turn(maximumWait: .milliseconds(20))
    }
    return true
  }

  /// Whether nothing of any connection is left, on any count.
  var isEmpty: Bool {
    proxy.connectionCount == 0 && metrics.connections.value == 0 && metrics.pipes.value == 0
      && proxy.pool.inUse == 0
  }
}

/// Bytes that look like nothing, the same for the same seed.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return UInt8(truncatingIfNeeded: state >> 32)
  }
}

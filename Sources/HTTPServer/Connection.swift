import Telemetry
import Bytes
import EventLoop
import Glibc
import HTTP2
import HTTPSemantics
import TLS

/// One client's connection: its socket, its TLS session, and HTTP/1.1 or HTTP/2 inside.
///
/// Input is handled in `readable()`; everything it leads to is sent by one `flush()` at the end of
/// the turn. An idle connection holds no buffer.
final class Connection: Channel {
  enum Stage: Equatable { case proxyHeader, handshake, http1, http2, lingering }

  /// What the deadline is for.
  enum Waiting: Equatable {
    case nothing, handshake, head, idle, body, reader, linger
  }

  let server: LoopServer
  let site: ListeningSite
  var client: SocketAddress
  var stage: Stage
  var tls: TLSSession?
  var http1: HTTP1Exchange?
  var http2: HTTP2Session?
  /// What the requests in progress need besides their protocol's state.
  var pending: [Int32: PendingRequest] = [:]
  var bodies = StreamedBodies()
  var bodyBytes = 0

  /// Output of a connection without TLS.
  var outbox: [UInt8] = []
  var outboxStart = 0

  /// Plaintext that a TLS session had no room for: the rest of a large head.
  var overflow: [UInt8] = []

  /// The reason to close once everything is sent; nil while the connection goes on.
  var closing: CloseReason?
  /// The client has ended its side.
  var inputEnded = false
  /// The socket has more to read, and the connection was not ready for it.
  var readIsPaused = false
  private var readsOn = false
  private var isBlocked = false
  var waiting = Waiting.nothing
  private var proxyBytes: [UInt8] = []

  var received: UInt64 = 0
  var sent: UInt64 = 0
  var receivedMark: UInt64 = 0
  var sentMark: UInt64 = 0
  var requestCount = 0
  /// `requestCount` when the idle time began: only a request begins it anew, no ping does.
  var idleMark = -1
  /// Whether the server looks whether it stays idle.
  var isInRestQueue = false
  /// The client may still be sending what nobody will read: a reset could overtake our answer.
  var leavesInput = false
  /// Counts the body of the answer that is given next; nil where nobody does.
  var nextTally: Tally?
  /// How fast it may send; nil where nothing bounds it.
  var pace: ConnectionPace?
  /// The client has been told, or will be, that this connection ends.
  var isLeaving = false

  var isSecure: Bool { site.tls != nil }

  init(
    _ socket: consuming Socket, from client: SocketAddress, site: ListeningSite,
    on server: LoopServer
  ) {
    self.server = server
    self.site = site
    self.client = client
    stage =
      site.acceptsProxyHeader && server.configuration.trustedProxies.contains(client)
      ? .proxyHeader : .handshake
    super.init(socket, on: server.loop)
  }

  /// Starts the protocol once the connection has its place on the loop.
  func open() {
    if stage == .handshake { start() }
    rearm()
  }

  private func start() {
    guard let context = site.tls else {
      stage = .http1
      http1 = HTTP1Exchange()
      return
    }
    stage = .handshake
    guard let tls = TLSSession(server: context, buffers: server.tlsBuffers) else {
      return end(.failure)
    }
    self.tls = tls
    server.beginHandshake(id)
  }

  // MARK: Input

  override func readable() {
    while !isClosed {
      if readIsPaused { return }
      let result = loop.receive(self) { bytes in
        received &+= UInt64(bytes.count)
        server.metrics.receivedBytes.add(bytes.count)
        ingest(bytes)
      }
      loop.flushLater(self)
      switch result {
      case .bytes(let count):
        if count < loop.scratchBytes, !hasHungUp { return }
        if hasHungUp { continue }
        // More may wait; the others come first.
        readsOn = true
        loop.again(self)
        return
      case .wouldBlock: return
      case .closed: return inputHasEnded()
      case .failed: return end(.reset)
      }
    }
  }

  override func resume() {
    if readsOn {
      readsOn = false
      readable()
    }
    if !isClosed { flush() }
  }

  override func writable() {
    guard isBlocked else { return }
    isBlocked = false
    loop.flushLater(self)
  }

  private func ingest(_ bytes: borrowing Span<UInt8>) {
    switch stage {
    case .proxyHeader: ingestProxyHeader(bytes)
    case .lingering: break
    default:
      guard let tls else { return ingestPlain(bytes) }
      let progress = tls.receive(bytes) { plaintext in
        if stage == .handshake { handshakeEnded(tls) }
        ingestPlain(plaintext)
      }
      if stage == .handshake, !tls.isHandshaking, tls.closeReason == nil { handshakeEnded(tls) }
      if progress == .closed { tlsClosed(tls) }
    }
  }

  private func ingestPlain(_ bytes: borrowing Span<UInt8>) {
    // While the last answers are sent, HTTP/2 needs to hear what the client has room for.
    guard closing == nil || closing == .drained && http2 != nil else { return }
    if http2 != nil {
      ingestHTTP2(bytes)
    } else {
      ingestHTTP1(bytes)
    }
  }

  private func ingestProxyHeader(_ bytes: borrowing Span<UInt8>) {
    proxyBytes.append(copying: bytes)
    switch ProxyHeader.parse(proxyBytes.span) {
    case .incomplete: return
    case .malformed: return end(.proxyHeader)
    case .complete(let length, let source):
      if let source { client = source }
      let rest = proxyBytes
      proxyBytes = []
      start()
      if rest.count > length, !isClosed { ingest(rest.span.extracting(droppingFirst: length)) }
    }
  }

  /// The client will say no more.
  ///
  /// An answer that is on its way or being made is still sent. A request that is held is given up:
  /// most viewers that end their side have left.
  func inputHasEnded() {
    inputEnded = true
    tls?.receiveEnd()
    let inProgress =
      hasOutput || http1.map(isAnswering) ?? false
      || http2.map { $0.responsesInProgress > 0 } ?? false
    // A TLS session whose input has ended takes no more plaintext either.
    if tls == nil, inProgress, closing == nil {
      finish(.clientClosed)
    } else if !inProgress || tls != nil {
      end(closing ?? .clientClosed)
    }
  }

  private func isAnswering(_ http1: HTTP1Exchange) -> Bool {
    switch http1.phase {
    case .sending: true
    case .waiting: pending[http1.ordinal]?.isRunning == true
    case .head, .body: false
    }
  }

  // MARK: Output

  override func flush() {
    guard !isClosed else { return }
    var turn = 0
    var mayHaveMore = true
    while true {
      switch sendPending() {
      case .blocked:
        isBlocked = true
        return rearm()
      case .failed: return end(.reset)
      case .sent(let count): turn += count
      }
      if turn >= server.configuration.bytesPerTurn {
        loop.again(self)
        return rearm()
      }
      if queueOverflow() { continue }
      if let http2 {
        guard mayHaveMore else { break }
        mayHaveMore = produceHTTP2(http2)
      } else if http1 != nil {
        if produceHTTP1() == 0 { break }
      } else if !hasOutput {
        break
      }
      if isClosed { return }
    }
    settle()
  }

  private enum Sending { case sent(Int), blocked, failed }

  var hasOutput: Bool { tls?.hasPendingOutput ?? (outboxStart < outbox.count) }

  private func sendPending() -> Sending {
    var total = 0
    while hasOutput {
      let wanted: Int
      let result: IOResult
      if let tls {
        wanted = tls.pendingOutputBytes
        result = tls.withOutput { bytes in
          unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
        }
      } else {
        wanted = outbox.count - outboxStart
        let start = outboxStart
        result = unsafe outbox.withUnsafeBytes {
          unsafe SystemCall.send(descriptor, UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
      }
      guard case .bytes(let count) = result else {
        return result == .wouldBlock ? .blocked : .failed
      }
      total += count
      sent &+= UInt64(count)
      server.metrics.sentBytes.add(count)
      consume(count)
      // A short write means that the socket is full: the next edge says when it is not.
      if count < wanted { return .blocked }
    }
    return .sent(total)
  }

  private func consume(_ count: Int) {
    if let tls { return tls.consumeOutput(count) }
    outboxStart += count
    if outboxStart == outbox.count {
      server.give(buffer: &outbox)
      outboxStart = 0
    }
  }

  /// Everything that there is to send is sent: closes, or waits for what comes next.
  private func settle() {
    if let closing, !isBusy { return close(after: closing) }
    if let http2, http2.isFinished { return close(after: closing ?? .finished) }
    if readIsPaused, http1?.isReadyForInput ?? true {
      readIsPaused = false
      readsOn = true
      loop.again(self)
    }
    rearm()
  }

  /// Whether an answer is owed.
  private var isBusy: Bool {
    if let http1 { return http1.phase != .head }
    if let http2, closing == .drained { return http2.openStreams > 0 }
    return false
  }

  // MARK: Closing

  /// Closes once what is queued has been sent.
  func finish(_ reason: CloseReason) {
    if closing == nil { closing = reason }
    loop.flushLater(self)
  }

  /// All is sent.
  ///
  /// Says so, and lets the client read it before a reset could take it away.
  private func close(after reason: CloseReason) {
    tls?.shutdown()
    switch sendPending() {
    case .sent: break
    case .blocked, .failed: return end(reason)
    }
    guard leavesInput, !inputEnded, stage != .lingering else { return end(reason) }
    Glibc.shutdown(descriptor, Int32(SHUT_WR))
    stage = .lingering
    dropProtocol()
    rearm()
  }

  /// Closes at once.
  func end(_ reason: CloseReason) {
    guard !isClosed else { return }
    server.metrics.closed(closing ?? reason)
    if stage == .handshake, tls != nil { server.handshakes.remove(id) }
    loop.close(self)
  }

  override func closed() {
    dropProtocol()
    server.connectionClosed()
    tls = nil
    http2 = nil
    if !outbox.isEmpty { server.give(buffer: &outbox) }
  }

  /// Lets go of every request in progress.
  private func dropProtocol() {
    for (_, request) in pending { request.cancel(server) }
    pending = [:]
    for source in bodies.removeAll() { source.finished() }
    http1 = nil
  }

  override func timedOut() { deadlinePassed() }
}

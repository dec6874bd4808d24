import Bytes
package import EventLoop
import Glibc
package import TLS

/// A socket that RTMP runs on, with or without TLS: bytes in as they come, shared buffers out.
///
/// Whatever a turn queues goes out at its end with as few calls as it fits into.
package class Transport: Channel {
  /// Why a connection is over.
  package enum End: Equatable, Sendable {
    /// The peer closed it.
    case closedByPeer
    /// The peer or the network reset it (errno).
    case failed(Int32)
    /// The TLS layer gave up.
    case insecure(TLSCloseReason)
    /// We closed it, for this reason.
    case closedByUs(String)
  }

  /// How much one turn reads from one connection before the others have theirs, in reads.
  private static let readsPerTurn = 4
  /// For how long a peer may go on sending after our last byte: closed while unread bytes are
  /// there, the kernel would reset the connection, and our last words be lost.
  private static let lingering = Duration.seconds(2)

  /// The client, as a trusted balancer told, or the socket's peer.
  package private(set) var peer: SocketAddress
  /// What has come of a PROXY header that is not whole yet; nil where none is to come.
  private var proxyHeader: [UInt8]?
  private let tls: TLSSession?
  private var queue = SendQueue()
  private var isFinishing = false
  private var finishBy = MonotonicTime.now
  private var finishReason = ""
  /// Whether all has been said, and what still comes is thrown away.
  private var isLingering = false
  private var hasEnded = false
  /// Whether what the peer sends is left to the kernel, which in turn makes the peer wait.
  package private(set) final var isHeldBack = false
  package private(set) var bytesReceived: UInt64 = 0
  package private(set) var bytesSent: UInt64 = 0

  package init(
    _ socket: consuming Socket, peer: SocketAddress, tls: TLSSession?, on loop: Loop,
    expectsProxyHeader: Bool = false
  ) {
    self.peer = peer
    proxyHeader = expectsProxyHeader ? [] : nil
    self.tls = tls
    super.init(socket, on: loop)
  }

  /// Whether the bytes travel encrypted.
  package final var isSecure: Bool { tls != nil }
  /// Whether the peer has shown a certificate of the cluster's.
  package final var isPeerCertified: Bool { tls?.isPeerCertified ?? false }

  /// How many bytes wait for the socket.
  package final var queuedBytes: Int { queue.count + (tls?.pendingOutputBytes ?? 0) }

  // MARK: For subclasses

  /// Plaintext came; borrowed for the length of the call.
  package func received(_ bytes: borrowing Span<UInt8>) {}

  /// The TLS handshake is done.
  package func secured() {}

  /// All that was queued has gone to the kernel.
  package func drained() {}

  /// The connection is over; called once.
  package func ended(_ end: End) {}

  // MARK: Sending and closing

  /// Queues a buffer; it is not copied.
  package final func send(_ bytes: [UInt8]) {
    guard !isClosed, !isFinishing else { return }
    queue.append(bytes)
    loop.flushLater(self)
  }

  /// Reads nothing more until `goOn()`; at most what one read has brought already still comes.
  package final func holdBack() { isHeldBack = true }

  /// Reads again.
  package final func goOn() {
    guard isHeldBack else { return }
    isHeldBack = false
    loop.again(self)
  }

  /// Closes once what is queued has gone out and the peer has seen it, or after `patience`.
  package final func finish(_ reason: String, patience: Duration = .seconds(5)) {
    guard !isClosed, !isFinishing else { return }
    isFinishing = true
    finishReason = reason
    finishBy = loop.now + patience
    loop.setDeadline(self, finishBy)
    loop.flushLater(self)
  }

  /// Says that nothing more will come, and waits for the peer to say the same.
  private func linger() {
    isLingering = true
    isHeldBack = false
    guard Glibc.shutdown(descriptor, Int32(SHUT_WR)) == 0 else {
      return end(.closedByUs(finishReason))
    }
    setReceiveLowWater(1)
    loop.setDeadline(self, min(finishBy, loop.now + Self.lingering))
    loop.again(self)
  }

  /// Closes at once.
  package final func end(_ end: End) {
    guard !hasEnded else { return }
    hasEnded = true
    loop.close(self)
    queue.removeAll()
    ended(isLingering ? .closedByUs(finishReason) : end)
  }

  /// Whether only what is queued still goes out.
  package final var isEnding: Bool { isFinishing || hasEnded }

  // MARK: Events

  override package func readable() {
    for _ in 0..<Self.readsPerTurn {
      guard !isClosed, !isHeldBack else { return }
      let result = loop.receive(self) { bytes in
        if isLingering { return }
        if proxyHeader == nil { take(bytes) } else { takeProxyHeader(bytes) }
      }
      switch result {
      case .bytes(let count):
        bytesReceived &+= UInt64(count)
        if count < loop.scratchBytes, !hasHungUp { return }
      case .wouldBlock: return
      case .closed:
        if !isLingering { tls?.receiveEnd() }
        return end(.closedByPeer)
      case .failed(let error): return end(.failed(error))
      }
    }
    loop.again(self)
  }

  /// Reads the balancer's header before anything else; what follows it is the client's.
  private func takeProxyHeader(_ bytes: borrowing Span<UInt8>) {
    var header = proxyHeader ?? []
    header.append(copying: bytes)
    switch ProxyHeader.parse(header.span) {
    case .incomplete: proxyHeader = header
    case .malformed: end(.closedByUs("bad PROXY header"))
    case .complete(let length, let source):
      proxyHeader = nil
      if let source { peer = source }
      if length < header.count { take(header.span.extracting(droppingFirst: length)) }
    }
  }

  private func take(_ bytes: borrowing Span<UInt8>) {
    guard let tls else {
      if !isFinishing { received(bytes) }
      return
    }
    let wasHandshaking = tls.isHandshaking
    let progress = tls.receive(bytes) { plain in
      if !isFinishing, !isClosed { received(plain) }
    }
    if wasHandshaking, !tls.isHandshaking, tls.closeReason == nil { secured() }
    if tls.hasPendingOutput || !queue.isEmpty { loop.flushLater(self) }
    guard progress == .closed, !isClosed else { return }
    // The alert that says why goes out if the socket takes it now.
    _ = sendSealed(tls)
    let reason = tls.closeReason ?? .failure
    end(reason == .closeNotify ? .closedByPeer : .insecure(reason))
  }

  override package func writable() {
    if queuedBytes > 0 || isFinishing { flush() }
  }

  override package func flush() {
    guard !isClosed else { return }
    let isEmpty = tls.map { flushSecured($0) } ?? flushPlain()
    guard isEmpty, !isClosed else { return }
    guard isFinishing else { return drained() }
    guard !isLingering else { return }
    if let tls, !tls.hasShutDown {
      tls.shutdown()
      guard sendSealed(tls) else { return }
    }
    linger()
  }

  override package func timedOut() {
    if isFinishing { end(.closedByUs(finishReason)) }
  }

  /// Returns true once nothing waits.
  private func flushPlain() -> Bool {
    switch queue.flush(to: descriptor) {
    case .bytes(let count):
      bytesSent &+= UInt64(count)
      return true
    case .wouldBlock, .closed: return false
    case .failed(let error):
      end(.failed(error))
      return false
    }
  }

  /// Returns true once nothing waits.
  private func flushSecured(_ tls: TLSSession) -> Bool {
    while true {
      if !tls.isHandshaking {
        queue.drain { bytes in
          if case .done(let count) = tls.write(bytes) { count } else { 0 }
        }
      }
      guard tls.hasPendingOutput else { return queue.isEmpty }
      guard sendSealed(tls) else { return false }
      if tls.isHandshaking { return false }
    }
  }

  /// Returns true once all sealed bytes are with the kernel.
  private func sendSealed(_ tls: TLSSession) -> Bool {
    while tls.hasPendingOutput {
      let descriptor = descriptor
      let result = tls.withOutput { bytes in
        unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      }
      switch result {
      case .bytes(let count):
        bytesSent &+= UInt64(count)
        tls.consumeOutput(count)
      case .wouldBlock, .closed: return false
      case .failed(let error):
        end(.failed(error))
        return false
      }
    }
    return true
  }
}

extension Transport.End {
  /// One of a fixed few, for a metric's label and a log line.
  var words: String {
    switch self {
    case .closedByPeer: "closed by the client"
    case .failed: "connection lost"
    case .insecure: "tls"
    case .closedByUs(let reason): reason
    }
  }

  /// What it is to who publishes over it.
  var publication: PublicationEnd {
    switch self {
    case .closedByPeer, .failed: .brokenOff(words)
    case .insecure, .closedByUs: .other(words)
    }
  }
}
